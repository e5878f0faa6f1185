//! State of peers between exchanges: the rate of each, whether its address is proven, how many bytes may go to one that
//! is not, and how often somebody has guessed at its message IDs.
//!
//! The table is a fixed number of sets by a keyed hash of the address, so a flood of spoofed addresses costs bounded
//! memory and time. A full set drops the unproven peer that was silent for longest; one with wrong guesses only if
//! there is no other, and a proven one last. If all are proven, a host that has its share of the set loses one of its
//! own: it can prove as many addresses as it has ports, and the proofs of others must stay.

use std::time::{Duration, Instant};

use crate::guesses::Guesses;
use crate::limits::Limits;
use crate::rate::Rate;

#[cfg(test)]
mod tests;

/// Sets of the table.
const SETS: usize = 1024;
/// Peers per set: 16,384 in all, as many as exchanges may be in flight; about 2 MiB when full.
const PEERS_PER_SET: usize = 16;
/// Proven peers of one host that displace those of others: an eighth.
const OF_HOLDER: usize = PEERS_PER_SET / 8;
/// Time between two 4.29 responses to a peer above its rate. More responses would cost the time of other peers.
const BETWEEN_WARNINGS: Duration = Duration::from_millis(10);
/// How long an address counts as proven after the last proof. Addresses rarely get another owner within an hour, and
/// the new owner would only get more bytes than it requested.
const PROOF_LIFETIME: Duration = Duration::from_secs(3600);
/// How long the size of a block counts for later responses. One who asks for large blocks does so again; what a forged
/// request has asked for ends.
const BLOCK_SIZE_LIFETIME: Duration = Duration::from_secs(3600);
/// The largest credit of an unproven peer, in bytes: a message and its retransmissions.
const MAX_CREDIT: usize = 8192;

/// Whether a datagram is processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Within the peer's rate.
    Within,
    /// Above it; the peer gets 4.29.
    Warned,
    /// Above it, and the peer got 4.29 a moment ago: ignored.
    Ignored,
}

/// What a peer does with separate responses (RFC 7252 §5.2.2), as far as the endpoint has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separate {
    /// It acknowledges them, or has got none.
    Taken,
    /// It sent another request while one waited for a second acknowledgement: it may do without the response, or the
    /// network may have lost it.
    Doubtful,
    /// It left one unacknowledged to the end, or took one for a request, and has acknowledged none since.
    Ignored,
}

struct Entry {
    hash: u64,
    /// The holder of its host's share.
    holder: u64,
    last_received: Instant,
    /// The account of its rate.
    full_at: Instant,
    warned: Option<Instant>,
    proven: Option<Instant>,
    credit: usize,
    guesses: Guesses,
    separate: Separate,
    /// When it asked for a block or sent one, and its size exponent.
    block_exponent: Option<(Instant, u8)>,
}

impl Entry {
    fn is_proven(&self, now: Instant) -> bool {
        self.proven.is_some_and(|at| now < at + PROOF_LIFETIME)
    }

    /// The entry with the least leaves first. An attacker that could flush its guesses would get more of them.
    fn worth(&self, now: Instant) -> (bool, bool, Instant) {
        let is_guessed = self.guesses.is_recent(now);
        (self.is_proven(now), is_guessed, self.last_received)
    }
}

/// Peers by the keyed hash of their address. Two of 2^64 may be taken for one.
pub(super) struct PeerTable {
    sets: Vec<Vec<Entry>>,
    /// Of each peer; none if not limited.
    rate: Option<Rate>,
    least: usize,
    forgotten: u64,
}

impl PeerTable {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            sets: std::iter::repeat_with(Vec::new).take(SETS).collect(),
            rate: Rate::per_second(limits.datagrams_per_second_per_peer),
            least: limits.unproven_bytes,
            forgotten: 0,
        }
    }

    /// Applies another rate and another minimum. The entries of peers stay.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.rate = Rate::per_second(limits.datagrams_per_second_per_peer);
        self.least = limits.unproven_bytes;
    }

    fn get(&self, hash: u64) -> Option<&Entry> {
        let set = &self.sets[hash as usize % SETS];
        set.iter().find(|entry| entry.hash == hash)
    }

    fn find(&mut self, hash: u64) -> Option<&mut Entry> {
        self.sets[hash as usize % SETS]
            .iter_mut()
            .find(|entry| entry.hash == hash)
    }

    fn find_or_make(&mut self, now: Instant, hash: u64, holder: u64) -> &mut Entry {
        let set = &mut self.sets[hash as usize % SETS];
        let place = match set.iter().position(|entry| entry.hash == hash) {
            Some(place) => place,
            None => {
                if set.len() == PEERS_PER_SET {
                    let idlest = to_displace(set, now, holder);
                    // An entry with a full account and an unproven address equals a new one.
                    if set[idlest].full_at > now || set[idlest].is_proven(now) {
                        self.forgotten += 1;
                    }
                    set.swap_remove(idlest);
                }
                set.push(Entry {
                    hash,
                    holder,
                    last_received: now,
                    full_at: now,
                    warned: None,
                    proven: None,
                    credit: 0,
                    guesses: Guesses::default(),
                    separate: Separate::Taken,
                    block_exponent: None,
                });
                set.len() - 1
            }
        };
        &mut set[place]
    }

    /// Counts a received datagram of this many bytes.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        hash: u64,
        holder: u64,
        bytes: usize,
    ) -> Admission {
        let (rate, least) = (self.rate, self.least);
        let entry = self.find_or_make(now, hash, holder);
        entry.last_received = now;
        let admission = if rate.is_none_or(|rate| rate.take(now, &mut entry.full_at)) {
            Admission::Within
        } else {
            let is_recent = |at: Instant| now < at + BETWEEN_WARNINGS;
            if entry.warned.is_some_and(is_recent) {
                return Admission::Ignored;
            }
            entry.warned = Some(now);
            Admission::Warned
        };
        entry.credit = (entry.credit + allowance(bytes, least).min(MAX_CREDIT)).min(MAX_CREDIT);
        admission
    }

    /// The most bytes of a response to a datagram of this many bytes (RFC 9175 §2.4).
    pub(super) fn allowance(&self, now: Instant, hash: u64, bytes: usize) -> usize {
        if self.is_proven(now, hash) {
            usize::MAX
        } else {
            allowance(bytes, self.least)
        }
    }

    /// The peer has proven its address.
    pub(super) fn prove(&mut self, now: Instant, hash: u64, holder: u64) {
        let entry = self.find_or_make(now, hash, holder);
        entry.proven = Some(now);
        entry.guesses = Guesses::default();
    }

    /// A non-confirmable message with this ID leaves to an unproven peer.
    pub(super) fn expect_reset(&mut self, hash: u64, message_id: u16) {
        if let Some(entry) = self.find(hash) {
            entry.guesses.expect(message_id);
        }
    }

    /// Counts an ACK or RST of an unproven peer whose ID names no message; true if it is one too many.
    pub(super) fn count_guess(
        &mut self,
        now: Instant,
        hash: u64,
        holder: u64,
        message_id: u16,
    ) -> bool {
        let entry = self.find_or_make(now, hash, holder);
        entry.guesses.count(now, message_id)
    }

    /// Whether no ACK and no RST proves the peer's address now.
    pub(super) fn is_blocked(&self, now: Instant, hash: u64) -> bool {
        self.get(hash)
            .is_some_and(|entry| entry.guesses.is_blocked(now))
    }

    pub(super) fn is_proven(&self, now: Instant, hash: u64) -> bool {
        self.least == usize::MAX || self.get(hash).is_some_and(|entry| entry.is_proven(now))
    }

    /// What the peer does with separate responses.
    pub(super) fn separate(&self, hash: u64) -> Separate {
        self.get(hash)
            .map_or(Separate::Taken, |entry| entry.separate)
    }

    /// The peer has acknowledged a separate response, or has left one unacknowledged.
    pub(super) fn set_separate(&mut self, hash: u64, separate: Separate) {
        if let Some(entry) = self.find(hash) {
            entry.separate = separate;
        }
    }

    /// Size exponent of the last block that the peer asked for or sent.
    pub(super) fn block_exponent(&self, now: Instant, hash: u64) -> Option<u8> {
        let (asked, exponent) = self.get(hash)?.block_exponent?;
        (now < asked + BLOCK_SIZE_LIFETIME).then_some(exponent)
    }

    /// The peer has asked for a block of this size, or has sent one.
    pub(super) fn set_block_exponent(&mut self, now: Instant, hash: u64, exponent: u8) {
        if let Some(entry) = self.find(hash) {
            entry.block_exponent = Some((now, exponent));
        }
    }

    /// Counts bytes sent to the peer.
    pub(super) fn spend(&mut self, hash: u64, bytes: usize) {
        if let Some(entry) = self.find(hash) {
            entry.credit = entry.credit.saturating_sub(bytes);
        }
    }

    /// Bytes that may go to the peer, if it is not proven, although it did not request them again.
    pub(super) fn credit(&self, hash: u64) -> usize {
        self.get(hash).map_or(0, |entry| entry.credit)
    }

    /// Entries dropped while they still mattered.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sets.iter().map(Vec::len).sum()
    }
}

/// The place in a full set that a new peer of this holder gets.
fn to_displace(set: &[Entry], now: Instant, holder: u64) -> usize {
    let idlest = |is_candidate: &dyn Fn(&Entry) -> bool| {
        let candidates = (0..set.len()).filter(|place| is_candidate(&set[*place]));
        candidates.min_by_key(|place| set[*place].worth(now))
    };
    let of_all = idlest(&|_| true).unwrap_or(0);
    let is_own = |entry: &Entry| entry.holder == holder;
    let own = || set.iter().filter(|entry| is_own(entry)).count();
    if set[of_all].is_proven(now) && own() >= OF_HOLDER {
        idlest(&is_own).unwrap_or(of_all)
    } else {
        of_all
    }
}

fn allowance(bytes: usize, least: usize) -> usize {
    bytes.saturating_mul(3).max(least)
}
