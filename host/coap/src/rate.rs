//! A rate with room for a burst: the generic cell rate algorithm, a token bucket that needs one point in time.

use std::time::{Duration, Instant};

/// Burst of a slow rate: as many as the exchanges in flight of one peer.
const LEAST_BURST: u32 = 16;

/// Burst of a fast rate. A larger one would keep the thread from the socket until its buffer is full, and datagrams of
/// other peers would be lost.
const MOST_BURST: u32 = 500;

/// Events per second, with a burst of one second's events between these limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    interval: Duration,
    ahead: Duration,
}

impl Rate {
    /// None if `events` is 0: no limit.
    pub(super) fn per_second(events: u32) -> Option<Self> {
        let interval = Duration::from_secs(1).checked_div(events)?;
        Some(Self {
            interval,
            ahead: Duration::from_secs(1)
                .min(interval * MOST_BURST)
                .max(interval * LEAST_BURST),
        })
    }

    /// Counts one event unless it is above the rate. `full_at` is the account: when it will be full again.
    pub(super) fn take(self, now: Instant, full_at: &mut Instant) -> bool {
        let next = (*full_at).max(now) + self.interval;
        let within = next <= now + self.ahead;
        if within {
            *full_at = next;
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rate: u32, at: &[u64], tries: u32) -> Vec<usize> {
        let start = Instant::now();
        let rate = Rate::per_second(rate).expect("a rate");
        let mut account = start;
        at.iter()
            .map(|milliseconds| start + Duration::from_millis(*milliseconds))
            .map(|now| (0..tries).filter(|_| rate.take(now, &mut account)).count())
            .collect()
    }

    #[test]
    fn a_second_of_the_rate_at_once_then_the_rate_and_all_of_it_after_a_pause() {
        assert_eq!(taken(100, &[0, 500, 600, 60_000], 500), [100, 50, 10, 100]);
    }

    #[test]
    fn a_fast_rate_has_room_for_five_hundred() {
        assert_eq!(taken(5000, &[0, 10, 60_000], 1000), [500, 50, 500]);
    }

    #[test]
    fn a_slow_rate_has_room_for_sixteen() {
        assert_eq!(taken(1, &[0, 1000, 1500, 60_000], 50), [16, 1, 0, 16]);
    }

    #[test]
    fn zero_is_no_bound() {
        assert!(Rate::per_second(0).is_none());
    }
}
