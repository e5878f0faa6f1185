//! Whether a revision fails on half of its calls or more.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Calls that are judged together. If half of them fail, the revision does not work.
const WINDOW: u32 = 100;
/// Devices with a failed call: one device's input must not put a rule out of service for all.
const PEERS: usize = 8;
/// Calls of one device that count in a window: no more than an eighth of it, rounded up.
const OF_PEER: u32 = WINDOW.div_ceil(PEERS as u32);

/// The latest calls of a revision.
#[derive(Debug, Default)]
pub struct Health(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    /// All calls, and those of them that count.
    all: u32,
    calls: u32,
    failed: u32,
    /// Counted and failed calls by device: at most [`WINDOW`] devices.
    peers: HashMap<IpAddr, (u32, u32)>,
}

impl Health {
    /// Counts a call for a device. True if the revision has failed on half or more of 100 calls, and for at least
    /// 8 devices; then counting starts from zero.
    pub fn record(&self, peer: IpAddr, failed: bool) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window.all += 1;
        let (counted, of_peer) = window.peers.entry(peer).or_default();
        if *counted < OF_PEER {
            *counted += 1;
            *of_peer += u32::from(failed);
            window.calls += 1;
            window.failed += u32::from(failed);
        }
        let is_full = window.calls >= WINDOW;
        let failing = || window.peers.values().filter(|(_, failed)| *failed > 0);
        let is_failing = is_full && window.failed * 2 >= window.calls && failing().count() >= PEERS;
        // Old calls must not count for ever, also if few devices never fill a window.
        if is_full || window.all >= 10 * WINDOW {
            *window = Window::default();
        }
        is_failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    /// Whether a revision is failing after this many calls, those of which fail that `fails` selects.
    fn failing(calls: u32, peers: u8, fails: impl Fn(u32) -> bool) -> bool {
        let health = Health::default();
        (0..calls).any(|call| {
            let peer = peer((call % u32::from(peers)) as u8);
            health.record(peer, fails(call))
        })
    }

    #[test]
    fn half_of_a_hundred_calls_of_eight_devices_is_failing() {
        assert!(failing(100, 9, |call| call % 2 == 0));
        assert!(!failing(99, 9, |_| true));
        assert!(!failing(10_000, 9, |call| call % 10 == 0));
    }

    #[test]
    fn one_device_cannot_make_a_revision_fail() {
        let health = Health::default();
        for call in 0..10_000_u32 {
            let poisoned = call % 10 != 0;
            let peer = peer(if poisoned { 1 } else { 2 + (call % 20) as u8 });
            assert!(!health.record(peer, poisoned), "{call}");
        }
    }

    #[test]
    fn a_device_that_fails_day_after_day_beside_others_that_seldom_do_is_one_device() {
        let health = Health::default();
        for call in 0..100_000_u32 {
            let seldom = call % 97 == 0;
            let peer = peer(if seldom { 2 + (call % 50) as u8 } else { 1 });
            assert!(!health.record(peer, !seldom || call % 970 == 0), "{call}");
        }
    }

    #[test]
    fn a_revision_that_worked_for_long_is_soon_found_to_fail() {
        assert!(failing(100_300, 9, |call| call > 100_000));
    }
}
