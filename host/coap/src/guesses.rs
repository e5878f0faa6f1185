//! Guesses of own message IDs. An ACK or RST proves an address, because it names a message ID that only its receiver
//! has read. So a sender that forges the address may not try one ID after the other.

use std::time::{Duration, Instant};

/// Wrong IDs that end the trying. An honest device sends one now and then: a late ACK of a message that was given up.
const MOST: u8 = 3;
/// How long no ACK and no RST proves the address then, and how long wrong IDs are remembered. So forged messages get
/// three tries a minute, of 65,536: one succeeds after two weeks on average.
pub(super) const LIFETIME: Duration = Duration::from_secs(60);
/// Own non-confirmable messages whose rejection is expected. A device that rejects responses has few under way.
const NON_CONFIRMABLE: usize = 4;

/// Guesses from one address.
#[derive(Clone, Copy, Default)]
pub(super) struct Guesses {
    wrong: u8,
    latest: Option<Instant>,
    non_confirmable: [u16; NON_CONFIRMABLE],
    next: u8,
}

impl Guesses {
    /// A non-confirmable message with this ID leaves: a RST may follow, and is no guess (RFC 7252 §4.3).
    pub(super) fn expect(&mut self, message_id: u16) {
        let place = usize::from(self.next) % NON_CONFIRMABLE;
        self.non_confirmable[place] = message_id;
        self.next = self.next.wrapping_add(1);
    }

    /// Counts a message ID that names no message; true if it is one too many.
    pub(super) fn count(&mut self, now: Instant, message_id: u16) -> bool {
        if self.non_confirmable.contains(&message_id) || self.is_blocked(now) {
            return false;
        }
        if !self.is_recent(now) {
            self.wrong = 0;
        }
        self.wrong += 1;
        self.latest = Some(now);
        self.is_blocked(now)
    }

    /// Whether no ACK and no RST proves the address now.
    pub(super) fn is_blocked(&self, now: Instant) -> bool {
        self.wrong >= MOST && self.is_recent(now)
    }

    /// Whether there was a wrong ID that still counts.
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        self.latest.is_some_and(|latest| now < latest + LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_wrong_id_within_a_minute_blocks_for_a_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guesses = Guesses::default();
        let counted = [0, 59, 118, 119, 177].map(|seconds| guesses.count(at(seconds), 7));
        assert_eq!(counted, [false, false, true, false, false]);
        assert!(guesses.is_blocked(at(177)) && !guesses.is_blocked(at(178)));
        let counted = [178, 200, 201].map(|seconds| guesses.count(at(seconds), 7));
        assert_eq!(counted, [false, false, true]);
    }

    #[test]
    fn wrong_ids_more_than_a_minute_apart_are_forgotten() {
        let start = Instant::now();
        let mut guesses = Guesses::default();
        for minute in 0..100 {
            let now = start + LIFETIME * minute;
            assert!(!guesses.count(now, 7) && !guesses.is_blocked(now));
        }
    }

    #[test]
    fn rejections_of_the_latest_non_confirmable_messages_are_no_guesses() {
        let now = Instant::now();
        let mut guesses = Guesses::default();
        (1..=5).for_each(|id| guesses.expect(id));
        assert!(!(2..=5).any(|id| guesses.count(now, id) || guesses.is_recent(now)));
        guesses.count(now, 1);
        assert!(guesses.is_recent(now));
    }
}
