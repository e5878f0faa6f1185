//! Own message IDs (RFC 7252 §4.4): not predictable, and never used twice toward one peer within EXCHANGE_LIFETIME.
//!
//! Peers share a fixed number of counters by a keyed hash of their address. So a peer leaves no state, a flood of
//! spoofed addresses costs no memory, and one peer alone has 65,536 IDs per lifetime. A quarter of them is reserved for
//! confirmable messages and notifications. Of the others, one host gets at most a fourth of a counter at once and
//! 100 a second: its flood leaves some to the peers that share a counter with one of its ports.
//!
//! An ID is the counter after a permutation that the secret makes for each peer: two counts give a peer two IDs. An
//! attacker may read the IDs that leave to its own addresses, and so the counters; the IDs toward another address
//! depend on another key, and remain unpredictable. They prove addresses, see `address_validation`.

use std::time::{Duration, Instant};

use crate::secret::Secret;

/// Counters. 1,024 of them give 200,000 messages per second in all at 247 s, in 104 KiB.
const SEQUENCES: usize = 1024;
/// Parts of a counter's range with a time of last use each. With fewer parts, IDs rest longer than necessary.
const SEGMENTS: usize = 4;
const SEGMENT_LENGTH: usize = 65_536 / SEGMENTS;

/// Spare IDs of one counter that a host gets in a row.
const OF_HOST: u64 = 12 << 10;
/// And then in a second: as many messages as a border router with a thousand devices has. With [`OF_HOST`] they leave
/// a quarter of the spare IDs in 247 s.
const OF_HOST_PER_SECOND: u64 = 100;

#[derive(Clone, Default)]
struct Sequence {
    used: usize,
    last_used: [Option<Instant>; SEGMENTS],
    heaviest: Heaviest,
}

/// The host with more spare IDs of a counter than all others together. One that floods is found without a list: the IDs
/// of others only lower its number (the majority vote of Boyer and Moore).
#[derive(Clone, Default)]
struct Heaviest {
    holder: u64,
    used: u64,
    since: Option<Instant>,
}

impl Heaviest {
    /// Whether the holder gets one more.
    fn take(&mut self, now: Instant, holder: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since).as_millis();
        let given_back = u64::try_from(passed).unwrap_or(u64::MAX) / (1000 / OF_HOST_PER_SECOND);
        if given_back > 0 {
            self.used = self.used.saturating_sub(given_back);
            self.since = Some(now);
        }
        if self.used == 0 {
            self.holder = holder;
        }
        if self.holder != holder {
            self.used -= 1;
        } else if self.used < OF_HOST {
            self.used += 1;
        } else {
            return false;
        }
        true
    }
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
    /// non-confirmable requests, or an address that many spoof, leaves IDs for messages that must arrive. None too if
    /// the holder has its share.
    pub(super) fn next_spare(&mut self, now: Instant, peer_hash: u64, holder: u64) -> Option<u16> {
        let sequence = &mut self.sequences[peer_hash as usize % SEQUENCES];
        let following = (sequence.used / SEGMENT_LENGTH + 1) % SEGMENTS;
        let is_resting = |last: Instant| now < last + self.rest;
        if sequence.last_used[following].is_some_and(is_resting)
            || !sequence.heaviest.take(now, holder)
        {
            return None;
        }
        self.next(now, peer_hash)
    }

    /// The next ID toward the peer of this keyed hash; none if all of them were used within the time of rest.
    pub(super) fn next(&mut self, now: Instant, peer_hash: u64) -> Option<u16> {
        let sequence = &mut self.sequences[peer_hash as usize % SEQUENCES];
        let segment = sequence.used / SEGMENT_LENGTH % SEGMENTS;
        let begins = sequence.used.is_multiple_of(SEGMENT_LENGTH);
        if begins && sequence.last_used[segment].is_some_and(|last| now < last + self.rest) {
            return None;
        }
        sequence.last_used[segment] = Some(now);
        let count = sequence.used as u16;
        sequence.used = sequence.used.wrapping_add(1);
        Some(permute(self.secret.hash(("message ID", peer_hash)), count))
    }
}

/// A permutation of 16 bits: a Feistel network of four rounds, with a quarter of the key in each. Attackers see no ID
/// that was made with the key of another peer, so the rounds need not resist analysis, only spread the key.
fn permute(key: u64, count: u16) -> u16 {
    let [mut left, mut right] = count.to_be_bytes();
    for round in 0..4 {
        let round_key = (key >> (16 * round)) as u16;
        (left, right) = (right, left ^ mix(round_key, right));
    }
    u16::from_be_bytes([left, right])
}

/// Every bit of the result depends on every bit of both: the last steps of MurmurHash3.
fn mix(key: u16, half: u8) -> u8 {
    let mut mixed = u32::from(key) << 8 | u32::from(half);
    mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
    (mixed ^ (mixed >> 16)) as u8
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
        // Each ID for another host.
        let spare = (0..65_536)
            .map_while(|host| ids.next_spare(start, 7, host))
            .count();
        assert_eq!(spare, 65_536 - SEGMENT_LENGTH);
        assert!(ids.next(start, 7).is_some());
        assert_eq!(ids.next_spare(start, 7, 0), None);
        let rest = std::iter::from_fn(|| ids.next(start, 7)).count();
        assert_eq!(rest, SEGMENT_LENGTH - 1);
        assert!(ids.next_spare(start + REST, 7, 0).is_some());
    }

    #[test]
    fn a_host_that_takes_without_end_leaves_spare_ids_to_the_peers_with_the_same_counter() {
        let mut ids = MessageIds::new(Secret::new([7; 16]), REST);
        let start = Instant::now();
        let (hostile, honest) = (1, 2);
        let mut taken = 0;
        for second in 0..240 {
            let now = start + Duration::from_secs(second);
            taken += (0..5000)
                .filter(|_| ids.next_spare(now, 1024, hostile).is_some())
                .count();
            assert!(ids.next_spare(now, 7 * 1024, honest).is_some(), "{second}");
        }
        let share = (OF_HOST + 240 * (OF_HOST_PER_SECOND + 1)) as usize;
        assert!(taken <= share, "{taken}");
    }

    #[test]
    fn every_key_permutes_all_counts() {
        let secret = Secret::new([7; 16]);
        let keys = (0..64).map(|number: u32| secret.hash(number));
        for key in keys.chain([0, u64::MAX]) {
            let mut seen = vec![false; 65_536];
            (0..=u16::MAX).for_each(|count| seen[usize::from(permute(key, count))] = true);
            assert!(seen.iter().all(|seen| *seen), "{key:#x}");
        }
    }

    #[test]
    fn another_seed_or_another_peer_gets_other_ids() {
        let now = Instant::now();
        let first = |seed, peer| MessageIds::new(Secret::new([seed; 16]), REST).next(now, peer);
        let mut starts: Vec<_> = (0..32).map(|seed| first(seed, 1)).collect();
        starts.extend((2..34).map(|peer| first(0, peer)));
        starts.sort_unstable();
        starts.dedup();
        assert!(starts.len() > 60, "{} of 64 differ", starts.len());
    }

    /// The attack: read an ID toward an own address, and guess from it the next one of the counter toward the victim.
    #[test]
    fn the_ids_of_one_peer_say_nothing_of_another_peers() {
        const VICTIMS: u64 = 32_768;
        const CELLS: usize = 256;
        let now = Instant::now();
        let secret = Secret::new([7; 16]);
        let (mut ahead, mut apart) = (vec![0u32; CELLS], vec![0u32; CELLS]);
        let mut ids = MessageIds::new(secret.clone(), REST);
        for victim in 0..VICTIMS {
            // Both hashes have the same remainder, so the peers share a counter.
            let hash = |number: u64| secret.hash(number) / 1024 * 1024;
            let own = ids.next(now, hash(VICTIMS + victim)).expect("an ID");
            let of_victim = ids.next(now, hash(victim)).expect("an ID");
            ahead[usize::from(of_victim.wrapping_sub(own)) % CELLS] += 1;
            apart[usize::from(of_victim ^ own) / CELLS] += 1;
        }
        for cells in [ahead, apart] {
            let expected = VICTIMS as f64 / CELLS as f64;
            let squares = cells
                .iter()
                .map(|count| (f64::from(*count) - expected).powi(2));
            let chi_squared = squares.sum::<f64>() / expected;
            // 255 degrees of freedom: above 340 with a chance of 1 in 3,000.
            assert!(chi_squared < 340.0, "{chi_squared}");
        }
    }
}
