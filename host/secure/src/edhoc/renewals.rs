//! How often a device may get another security context.
//!
//! Each one costs a write of the store besides the computing, and only a device whose key is enrolled gets there. So
//! the bound is for one that is broken, or stolen: one that restarts, and runs EDHOC, without end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Handshakes at once: for somebody who tries a device out.
const BURST: u32 = 16;
/// Time for one more: a device that forgets its context whenever it sleeps, and wakes up every five minutes, goes on.
const EACH: Duration = Duration::from_secs(5 * 60);
/// Devices with debts. There are no more devices; should there be, those with debts begin anew.
const MOST: usize = 10_000;

/// A token bucket for each device that has run EDHOC in the last 80 minutes.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    full_at: HashMap<Arc<str>, Instant>,
}

impl Renewals {
    /// Takes one handshake of a device, if it has one left.
    ///
    /// # Errors
    /// The time until it has one.
    pub(super) fn take(&mut self, now: Instant, device: &Arc<str>) -> Result<(), Duration> {
        let full_at = self.full_at.get(device).copied();
        let after = full_at.map_or(now, |full_at| full_at.max(now)) + EACH;
        let latest = now + EACH * BURST;
        if after > latest {
            return Err(after - latest);
        }
        if full_at.is_none() && self.full_at.len() >= MOST {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= MOST {
                self.full_at.clear();
            }
        }
        self.full_at.insert(device.clone(), after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_gets_a_burst_and_then_one_handshake_in_five_minutes_and_others_theirs() {
        let (start, mut renewals) = (Instant::now(), Renewals::default());
        let [shed, roof]: [Arc<str>; 2] = ["shed", "roof"].map(Into::into);
        let mut taken = |at, device| {
            let now = start + Duration::from_secs(at);
            (0..100)
                .filter(|_| renewals.take(now, device).is_ok())
                .count()
        };
        assert_eq!((taken(0, &shed), taken(1, &shed)), (16, 0));
        assert_eq!(taken(1, &roof), 16);
        assert_eq!((taken(299, &shed), taken(300, &shed)), (0, 1));
        assert_eq!(taken(24 * 3600, &shed), 16);
        let now = start + Duration::from_secs(24 * 3600 + 60);
        assert_eq!(renewals.take(now, &shed), Err(Duration::from_secs(240)));
    }

    #[test]
    fn the_table_has_a_bound_and_devices_without_debts_leave_first() {
        let (start, mut renewals) = (Instant::now(), Renewals::default());
        let name = |number: usize| Arc::from(format!("device-{number}"));
        for number in 0..MOST {
            renewals.take(start, &name(number)).expect("its first");
        }
        let later = start + EACH;
        for _ in 0..BURST {
            renewals.take(later, &name(1)).expect("it has a burst");
        }
        renewals.take(later, &name(MOST)).expect("its first");
        assert_eq!(renewals.full_at.len(), 2);
        assert!(renewals.take(later, &name(1)).is_err());
    }
}
