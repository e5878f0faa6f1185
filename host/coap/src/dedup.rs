//! Responses retained for duplicates (RFC 7252 §4.5): a retransmitted request gets the same bytes again and is not
//! processed again. Bounded per peer and in bytes.
//!
//! Errors have a room of their own, an eighth of the whole: they cost a sender nothing, and must displace no success.
//! In a full room a host above its share loses its oldest response first, also for another host. So a flood of one
//! host displaces its own responses, and a quiet device keeps the few that it has.

use std::time::Instant;

use crate::limits::Limits;
use crate::message_key::MessageKey;
use crate::peer::Peer;
use crate::retained::{Retained, RetainedResponses};
use share::{Bounds, Held, Owner, Refused, Shares};

#[cfg(test)]
mod tests;

/// Part of the bytes that errors have.
const ERRORS: usize = 8;

/// What is retained of a message.
pub(super) enum Found<'a, P> {
    /// Nothing with its ID.
    Nothing,
    /// The response to it.
    Same(&'a Retained<P>),
    /// Only that to another message with its ID.
    OtherWithItsId,
}

/// The retained responses of all peers.
pub(super) struct DedupCache<P> {
    successes: RetainedResponses<P>,
    errors: RetainedResponses<P>,
    per_peer: usize,
    evicted: u64,
}

impl<P: PartialEq> DedupCache<P> {
    pub(super) fn new(limits: &Limits) -> Self {
        let budget = limits.retained_response_bytes;
        Self {
            successes: RetainedResponses::new(Bounds::of_bytes(budget - budget / ERRORS)),
            errors: RetainedResponses::new(Bounds::of_bytes(budget / ERRORS)),
            per_peer: limits.retained_responses_per_peer,
            evicted: 0,
        }
    }

    /// The response to this message, within the lifetime of its message ID.
    pub(super) fn find(&self, now: Instant, peer: &Peer<P>, key: &MessageKey) -> Found<'_, P> {
        let rooms = [&self.successes, &self.errors].into_iter();
        let responses = rooms.flat_map(|room| room.of_peer(peer));
        let mut found = Found::Nothing;
        for response in responses.filter(|response| now < response.expires) {
            if response.key == *key {
                return Found::Same(response);
            }
            if response.key.has_id_of(key) {
                found = Found::OtherWithItsId;
            }
        }
        found
    }

    /// Retains a response until it expires.
    pub(super) fn retain(&mut self, response: Retained<P>, is_error: bool) {
        let room = if is_error {
            &mut self.errors
        } else {
            &mut self.successes
        };
        let amount = RetainedResponses::<P>::amount(&response.bytes);
        let owner = response.peer.owner;
        while room.count_of_peer(&response.peer) >= self.per_peer.max(1) {
            room.pop_of_peer(&response.peer);
            self.evicted += 1;
        }
        while let Err(Refused::InAll) = room.shares().admit(owner, amount) {
            if !drop_for(room, owner) {
                // Larger than the room.
                self.evicted += 1;
                return;
            }
            self.evicted += 1;
        }
        room.push(response);
    }

    /// Drops a response so that the owner can have something else: an error first. With `Refused::InAll` the response
    /// may be another host's. False if there is none.
    pub(super) fn make_room(&mut self, owner: Owner, refused: Refused) -> bool {
        let rooms = [&mut self.errors, &mut self.successes];
        let dropped = rooms.into_iter().any(|room| match refused {
            Refused::InAll => drop_for(room, owner),
            Refused::Host | Refused::Network => room.pop_of_holder(owner.holder()).is_some(),
        });
        self.evicted += u64::from(dropped);
        dropped
    }

    /// Drops responses whose requests can have no duplicates any more.
    pub(super) fn expire(&mut self, now: Instant) {
        for room in [&mut self.successes, &mut self.errors] {
            while room.oldest().is_some_and(|oldest| oldest.expires <= now) {
                room.pop();
            }
        }
    }

    /// When the oldest response expires.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let oldest = [self.successes.oldest(), self.errors.oldest()];
        oldest
            .into_iter()
            .flatten()
            .map(|oldest| oldest.expires)
            .min()
    }

    /// Responses dropped before they expired.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// What an owner holds, and all of them.
    pub(super) fn held(&self, owner: Owner) -> Held {
        self.successes.shares().held(owner) + self.errors.shares().held(owner)
    }

    pub(super) fn shares(&self) -> [&Shares; 2] {
        [self.successes.shares(), self.errors.shares()]
    }

    /// The peer of each response.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.successes.peers().chain(self.errors.peers())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shares()
            .map(|shares| shares.in_all().pieces)
            .into_iter()
            .sum()
    }
}

/// Drops a response for one of `owner`: the oldest of a holder above its share, else of the one that holds more, the
/// owner or the holder of the oldest response. False if there is none.
fn drop_for<P: PartialEq>(room: &mut RetainedResponses<P>, owner: Owner) -> bool {
    let shares = room.shares();
    let own = shares.held_by_holder(owner).bytes;
    let mut over = shares.over().iter().copied();
    let holder = if shares.is_over(owner) {
        Some(owner.holder())
    } else if let Some(over) = over.find(|holder| room.has_any_of_holder(*holder)) {
        Some(over)
    } else {
        let oldest = room.oldest().map(|oldest| oldest.peer.owner);
        let is_larger = |oldest: Owner| own > shares.held_by_holder(oldest).bytes;
        oldest.is_some_and(is_larger).then(|| owner.holder())
    };
    let dropped = match holder {
        Some(holder) => room.pop_of_holder(holder),
        None => room.pop(),
    };
    dropped.is_some()
}
