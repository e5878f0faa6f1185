//! Deliveries that were attempted at once in the last minutes. They have no record. A device that repeats one in
//! another datagram, because it did not get the response, repeats a message that its room may have: if the homeserver
//! is away meanwhile, it may return without its memory of transaction ids.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use contract::DeliveryId;
use share::{Amount, Bounds, Owner, Shares};

/// Devices repeat a message for the lifetime of its message ID (247 s); this is twice as long.
const KEPT: Duration = Duration::from_secs(500);
/// Eight messages per second; 400 KB. A message that finds no room counts as one that was not attempted.
const MOST: usize = 4096;

/// The ids, for a while.
pub(super) struct RecentAttempts(RefCell<Attempts>);

struct Attempts {
    ids: HashSet<DeliveryId>,
    in_order: VecDeque<(Duration, DeliveryId, Owner)>,
    shares: Shares,
}

impl Default for RecentAttempts {
    fn default() -> Self {
        Self(RefCell::new(Attempts {
            ids: HashSet::new(),
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::of_pieces(MOST)),
        }))
    }
}

impl RecentAttempts {
    /// A delivery is attempted. `now`: since the start of this process.
    pub(super) fn note(&self, now: Duration, id: DeliveryId, owner: Owner) {
        let mut attempts = self.0.borrow_mut();
        attempts.expire(now);
        if attempts.shares.admit(owner, Amount::piece(0)).is_ok() && attempts.ids.insert(id) {
            attempts.shares.add(owner, Amount::piece(0));
            attempts.in_order.push_back((now, id, owner));
        }
    }

    /// Whether a delivery may have been attempted before: also by the process before this one, which has left nothing
    /// behind.
    pub(super) fn may_have(&self, now: Duration, id: DeliveryId) -> bool {
        let mut attempts = self.0.borrow_mut();
        attempts.expire(now);
        now < KEPT || attempts.ids.contains(&id)
    }
}

impl Attempts {
    fn expire(&mut self, now: Duration) {
        let is_over = |(at, _, _): &mut (Duration, DeliveryId, Owner)| *at + KEPT <= now;
        while let Some((_, id, owner)) = self.in_order.pop_front_if(is_over) {
            self.ids.remove(&id);
            self.shares.give_back(owner, Amount::piece(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = KEPT;

    fn id(number: usize) -> DeliveryId {
        DeliveryId::from_bytes((number as u128).to_be_bytes())
    }

    #[test]
    fn an_attempt_is_known_for_a_while_and_leaves_nothing() {
        let recent = RecentAttempts::default();
        let owner = Owner::new(1, None);
        recent.note(START, id(1), owner);
        let last = START + KEPT - Duration::from_millis(1);
        assert!(recent.may_have(last, id(1)) && !recent.may_have(last, id(2)));
        assert!(!recent.may_have(START + KEPT, id(1)));
        let attempts = recent.0.borrow();
        assert!(attempts.in_order.is_empty() && attempts.shares.in_all() == Amount::default());
    }

    #[test]
    fn a_young_process_does_not_know_what_the_one_before_it_attempted() {
        let recent = RecentAttempts::default();
        assert!(recent.may_have(KEPT - Duration::from_millis(1), id(1)));
        assert!(!recent.may_have(KEPT, id(1)));
    }

    #[test]
    fn a_host_that_sends_much_leaves_room_for_the_others() {
        let recent = RecentAttempts::default();
        for number in 0..2 * MOST {
            recent.note(START, id(number), Owner::new(1, None));
        }
        recent.note(START, id(3 * MOST), Owner::new(2, None));
        assert!(recent.may_have(START, id(3 * MOST)));
        assert_eq!(recent.0.borrow().in_order.len(), MOST / 8 + 1);
    }
}
