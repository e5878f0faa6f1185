//! Own message IDs (RFC 7252 §4.4): not predictable across restarts, and never used twice toward one peer
//! within EXCHANGE_LIFETIME.
//!
//! Peers share a fixed number of sequences by a keyed hash of their address. So a peer leaves no state, a flood of
//! spoofed addresses costs no memory, and one peer alone has 65,536 IDs per lifetime. A quarter of them is reserved for
//! confirmable messages and notifications.

use std::time::{Duration, Instant};

use crate::secret::Secret;

/// Sequences. 1,024 of them give 200,000 messages per second in all at 247 s, in 72 KiB.
const SEQUENCES: usize = 1024;
/// Parts of a sequence with a time of last use each. With fewer parts, IDs rest longer than necessary.
const SEGMENTS: usize = 4;
const SEGMENT_LENGTH: usize = 65_536 / SEGMENTS;

#[derive(Clone, Default)]
struct Sequence {
    used: usize,
    last_used: [Option<Instant>; SEGMENTS],
}

pub(super) struct MessageIds {
    secret: Secret,
    rest: Duration,
    sequences: Vec<Sequence>,
}

impl MessageIds {
    /// `rest` is the time before an ID may be used again, EXCHANGE_LIFETIME.
    pub(super) fn new(secret: Secret, rest: Duration) -> Self {
        Self {
            secret,
            rest,
            sequences: vec![Sequence::default(); SEQUENCES],
        }
    }

    /// The next ID for a message that may be dropped; none if only the reserved segment is left. So a flood of
    /// non-confirmable requests, or an address that many spoof, leaves IDs for messages that must arrive.
    pub(super) fn next_spare(&mut self, now: Instant, peer_hash: u64) -> Option<u16> {
        let sequence = &self.sequences[peer_hash as usize % SEQUENCES];
        let following = (sequence.used / SEGMENT_LENGTH + 1) % SEGMENTS;
        let is_resting = |last: Instant| now < last + self.rest;
        if sequence.last_used[following].is_some_and(is_resting) {
            return None;
        }
        self.next(now, peer_hash)
    }

    /// The next ID toward the peer of this keyed hash; none if all of them were used within the time of rest.
    pub(super) fn next(&mut self, now: Instant, peer_hash: u64) -> Option<u16> {
        let index = peer_hash as usize % SEQUENCES;
        let start = self.secret.hash(("start", index)) as usize;
        let sequence = &mut self.sequences[index];
        let segment = sequence.used / SEGMENT_LENGTH % SEGMENTS;
        let begins = sequence.used.is_multiple_of(SEGMENT_LENGTH);
        if begins && sequence.last_used[segment].is_some_and(|last| now < last + self.rest) {
            return None;
        }
        sequence.last_used[segment] = Some(now);
        let message_id = start.wrapping_add(sequence.used) as u16;
        sequence.used = sequence.used.wrapping_add(1);
        Some(message_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(247);

    #[test]
    fn no_id_comes_again_within_the_lifetime_and_all_of_them_come_after_it() {
        let mut ids = MessageIds::new(Secret::new([7; 16]), REST);
        let start = Instant::now();
        let mut seen: Vec<u16> = std::iter::from_fn(|| ids.next(start, 7)).collect();
        assert_eq!(seen.len(), 65_536);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 65_536);
        assert_eq!(ids.next(start + REST - Duration::from_millis(1), 7), None);
        assert!(ids.next(start + REST, 7).is_some());
    }

    #[test]
    fn what_may_be_left_out_leaves_a_segment_of_ids() {
        let mut ids = MessageIds::new(Secret::new([7; 16]), REST);
        let start = Instant::now();
        let spare = std::iter::from_fn(|| ids.next_spare(start, 7)).count();
        assert_eq!(spare, 65_536 - SEGMENT_LENGTH);
        assert!(ids.next(start, 7).is_some());
        assert_eq!(ids.next_spare(start, 7), None);
        let rest = std::iter::from_fn(|| ids.next(start, 7)).count();
        assert_eq!(rest, SEGMENT_LENGTH - 1);
        assert!(ids.next_spare(start + REST, 7).is_some());
    }

    #[test]
    fn another_seed_or_another_peer_begins_elsewhere() {
        let now = Instant::now();
        let first = |seed, peer| MessageIds::new(Secret::new([seed; 16]), REST).next(now, peer);
        let mut starts: Vec<_> = (0..32).map(|seed| first(seed, 1)).collect();
        starts.extend((2..34).map(|peer| first(0, peer)));
        starts.sort_unstable();
        starts.dedup();
        assert!(starts.len() > 60, "{} of 64 differ", starts.len());
    }
}
