//! Whether a revision fails more often than it works.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Calls that are looked at together. Half of them failing means that a revision does not work.
const WINDOW: u32 = 100;
/// Devices that must have met a failure: one device's input must not put a rule out of service for all.
const PEERS: usize = 8;

/// The latest calls of a revision.
#[derive(Debug, Default)]
pub struct Health(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    calls: u32,
    failed: u32,
    /// Devices whose calls failed, up to [`PEERS`].
    peers: HashSet<IpAddr>,
}

impl Health {
    /// Counts a call for a device. True when the revision has failed on half or more of at least 100 calls, and for
    /// at least 8 devices; counting begins anew then.
    pub fn record(&self, peer: IpAddr, failed: bool) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window.calls += 1;
        if failed {
            window.failed += 1;
            if window.peers.len() < PEERS {
                window.peers.insert(peer);
            }
        }
        if window.calls < WINDOW {
            return false;
        }
        if window.failed * 2 >= window.calls && window.peers.len() >= PEERS {
            *window = Window::default();
            return true;
        }
        if window.calls >= 2 * WINDOW {
            // The older half fades; a revision that worked yesterday must not take long to be found out today.
            window.calls /= 2;
            window.failed /= 2;
            if window.failed == 0 {
                window.peers.clear();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    /// Whether this many calls, of which `fails` says which fail, make a revision a failing one.
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
    fn a_revision_that_worked_for_long_is_found_out_soon() {
        assert!(failing(100_300, 9, |call| call > 100_000));
    }
}
