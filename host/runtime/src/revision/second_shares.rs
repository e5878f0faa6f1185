//! What hosts take of a number per second: one that takes without end leaves some of it to others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use share::{Amount, Bound, Bounds, Owner, Shares};

const SECOND: Duration = Duration::from_secs(1);

/// Any host may take the first half of what a second has. Of the other half a host has an eighth. Below the first half
/// nothing is looked up.
#[derive(Debug)]
pub(super) struct SecondShares {
    first_half: usize,
    second: Mutex<Second>,
}

#[derive(Debug)]
struct Second {
    began: Option<Instant>,
    /// What is left of the first half.
    left: usize,
    shares: Shares,
}

impl SecondShares {
    /// Of this number per second.
    pub(super) fn new(per_second: usize) -> Self {
        let first_half = per_second / 2;
        // All together are bounded by the caller, whose bucket knows what the last second has left.
        let of_host = Bound::eighth(per_second - first_half);
        let bounds = Bounds {
            pieces: Bound {
                in_all: usize::MAX,
                ..of_host
            },
            bytes: Bound::NONE,
        };
        Self {
            first_half,
            second: Mutex::new(Second {
                began: None,
                left: first_half,
                shares: Shares::new(bounds),
            }),
        }
    }

    /// Whether the host may take more in this second.
    pub(super) fn has_room(&self, now: Instant, owner: Owner) -> bool {
        let second = self.second(now);
        second.left > 0
            || second
                .shares
                .admit(
                    owner,
                    Amount {
                        pieces: 1,
                        bytes: 0,
                    },
                )
                .is_ok()
    }

    /// The host takes so many, even above its share: what a call takes is certain only when it has ended.
    pub(super) fn add(&self, now: Instant, owner: Owner, taken: usize) {
        let mut second = self.second(now);
        let of_host = taken.saturating_sub(second.left);
        second.left = second.left.saturating_sub(taken);
        if of_host > 0 {
            second.shares.add(
                owner,
                Amount {
                    pieces: of_host,
                    bytes: 0,
                },
            );
        }
    }

    fn second(&self, now: Instant) -> MutexGuard<'_, Second> {
        // A panic within a change leaves at most a wrong number for the rest of the second.
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.began.is_none_or(|began| now >= began + SECOND) {
            second.began = Some(now);
            second.left = self.first_half;
            if second.shares.in_all().pieces > 0 {
                second.shares = Shares::new(*second.shares.bounds());
            }
        }
        second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_takes_without_end_leaves_some_to_seven_others() {
        let (shares, start) = (SecondShares::new(320), Instant::now());
        let taken = |host: u64, now: Instant| {
            let owner = Owner::new(host, None);
            let take = |_: &u32| {
                let has_room = shares.has_room(now, owner);
                if has_room {
                    shares.add(now, owner, 1);
                }
                has_room
            };
            (0..1000).filter(take).count()
        };
        assert_eq!(taken(1, start), 160 + 20);
        for host in 2..=8 {
            assert_eq!(taken(host, start), 20);
        }
        assert_eq!(taken(1, start + SECOND), 180, "in the next second");
    }

    #[test]
    fn one_that_has_taken_more_than_its_share_waits_for_the_next_second() {
        let (shares, start) = (SecondShares::new(100), Instant::now());
        let (one, other) = (Owner::new(1, None), Owner::new(2, None));
        shares.add(start, one, 70);
        assert!(!shares.has_room(start, one));
        assert!(shares.has_room(start, other));
        assert!(shares.has_room(start + SECOND, one));
    }

    #[test]
    fn the_smallest_numbers_have_room_for_somebody() {
        for per_second in 1..16 {
            let (shares, now) = (SecondShares::new(per_second), Instant::now());
            assert!(shares.has_room(now, Owner::new(1, None)), "{per_second}");
        }
    }
}
