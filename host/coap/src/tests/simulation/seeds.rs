//! Runs the worlds of many seeds on every core, or one of them with a trace.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::tally::Tally;
use super::world::World;

/// Worlds of one test run: 10,000 with an adversary, 1,000 without.
const SEEDS: u64 = 11_000;

/// Names the one seed to run, with a trace.
const REPLAY: &str = "COMATRIX_SIMULATION_SEED";

/// Runs the worlds of these seeds on every core. The first that fails ends the test with its name.
fn run(seeds: u64) -> Tally {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return Ok(sum);
            }
            let world = AssertUnwindSafe(|| World::new(seed, false).run());
            sum += catch_unwind(world).map_err(|_| {
                next.store(seeds, Ordering::Relaxed);
                seed
            })?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let sums: Vec<Result<Tally, u64>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|sum| sum.expect("a worker catches")).collect()
    });
    let mut all = Tally::default();
    for sum in sums {
        all += sum.unwrap_or_else(|seed| {
            panic!(
                "seed {seed} fails, see above. Replay it with a trace: \
                 {REPLAY}={seed} cargo test -p comatrix-coap --lib tests::simulation -- --nocapture"
            )
        });
    }
    all
}

#[test]
fn every_exchange_gets_a_response_or_is_given_up_and_is_processed_once_on_any_network_beside_an_adversary()
 {
    if let Ok(seed) = std::env::var(REPLAY) {
        let seed = seed
            .parse()
            .unwrap_or_else(|error| panic!("{REPLAY}={seed}: {error}"));
        World::new(seed, true).run();
        return;
    }
    let tally = run(SEEDS);
    // The worlds were worth it: everything that may happen did.
    assert!(tally.completed > 8 * tally.given_up, "{tally:?}");
    for (what, count) in [
        ("given up by a client", tally.given_up),
        (
            "bodies dropped while their device was cut off",
            tally.dropped,
        ),
        ("NON without a response", tally.non_without_response),
        ("acknowledged without a response", tally.no_response),
        ("responses in blocks", tally.downloads),
        ("requests in blocks", tally.uploads),
        ("piggybacked responses", tally.piggybacked),
        ("separate responses", tally.separate),
        ("duplicates", tally.duplicates),
        ("separate responses given up", tally.separate_given_up),
        ("messages of a room acknowledged", tally.notified),
        ("observations renewed", tally.renewed),
        ("observations given up", tally.observations_given_up),
        (
            "retransmissions to unproven addresses withheld",
            tally.withheld,
        ),
        ("datagrams forged", tally.forged),
        ("requests released by a proof", tally.released),
        ("requests with an Echo", tally.challenged),
        ("addresses with wrong guesses", tally.blocked),
    ] {
        assert!(count > 0, "{what}: {tally:?}");
    }
}

#[test]
fn a_seed_makes_the_same_world_twice() {
    for seed in [0, 3, 17] {
        assert_eq!(
            World::new(seed, false).run(),
            World::new(seed, false).run(),
            "seed {seed}"
        );
    }
}
