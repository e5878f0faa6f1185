//! Several devices and a gateway on a network that loses, repeats, reorders and corrupts datagrams, as a seed decides.
//! Devices restart, addresses change, somebody replays what was on the wire, and the gateway loses power. Then the
//! network is calm, and every device must be served.

mod application;
mod by_dtls;
mod by_oscore;
mod device;
mod dtls_link;
mod network;
mod records;
mod seeds;
mod sides;
mod world;

use by_dtls::DtlsGateway;
use by_oscore::OscoreGateway;
use seeds::Tally;

/// Worlds of one test run.
const OSCORE_SEEDS: u64 = 1_000;
/// Fewer with DTLS: a world takes 0.1 s and more without optimisation. `COMATRIX_SECURE_SEEDS=1000` runs as many.
const DTLS_SEEDS: u64 = 100;

/// The seeds reach what they are for.
fn check(tally: &Tally, seeds: u64) {
    assert!(tally.done >= 9 * seeds, "{tally:?}");
    for (what, count) in [
        ("requests failed", tally.failed),
        ("devices restarted", tally.reboots),
        ("addresses changed", tally.moves),
        ("the gateway restarted", tally.restarts),
        ("datagrams were replayed", tally.replays),
        ("datagrams were corrupted", tally.corrupted),
    ] {
        assert!(count > seeds / 2, "{what}: {tally:?}");
    }
}

#[test]
fn every_device_is_served_once_by_oscore_on_any_network() {
    if let Some((tally, seeds)) = seeds::run::<OscoreGateway>("by_oscore", OSCORE_SEEDS) {
        check(&tally, seeds);
        assert!(tally.challenges > seeds / 2, "{tally:?}");
    }
}

#[test]
fn every_device_is_served_once_by_dtls_on_any_network() {
    if let Some((tally, seeds)) = seeds::run::<DtlsGateway>("by_dtls", DTLS_SEEDS) {
        check(&tally, seeds);
        assert!(tally.sessions > 5 * seeds, "{tally:?}");
    }
}
