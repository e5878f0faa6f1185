//! The account of everything that messages make the endpoint hold, per host and in all.
//!
//! Each store counts its own pieces and bytes ([`share::Shares`]); the account is their sum. It is checked where a
//! request begins to take something: [`Endpoint::admit`]. Responses and notifications of the caller are counted and not
//! refused, for a response or a notification that is dropped would be lost; they keep their host from beginning more.

use crate::code;
use crate::endpoint::Endpoint;
use crate::exchange::{Exchange, RequestMeta};
use crate::message::{Message, MessageType};
use crate::option::MAX_AGE;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;
use share::{Amount, Bounds, Held, Owner, Refused, Shares};

/// A request that may not begin.
pub(super) enum NotAdmitted {
    /// Its error response.
    Response(Message),
    /// It gets none.
    Silence,
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// The peer with its hashes.
    pub(super) fn peer(&self, id: P) -> Peer<P> {
        Peer::new(id, &self.secret, &self.limits.networks)
    }

    /// The holder of all that the endpoint keeps for a peer: its host and its network, by keyed hashes. A caller that
    /// counts other shares of a host names it alike.
    pub fn owner_of(&self, peer: &P) -> Owner {
        self.peer(peer.clone()).owner
    }

    /// Checks the limits for one more exchange, whose request has this many bytes. Separate responses that wait for
    /// their acknowledgement count apart: a peer that never acknowledges one must not be shut out by them.
    pub(super) fn admit(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        bytes: usize,
    ) -> Result<(), NotAdmitted> {
        let peer = &meta.peer;
        let limits = &self.limits;
        let of_peer = self.exchanges.of_peer(peer);
        let bounds = Bounds::of_pieces(limits.exchanges).at_least(limits.exchanges_per_peer);
        let held = self.exchanges.held(peer.owner);
        let refused = bounds.admit(held, Amount::piece(0)).err();
        if of_peer >= limits.exchanges_per_peer || refused.is_some() {
            self.counters.overloaded += 1;
            self.counters.exchanges_above_share +=
                u64::from(refused.is_some_and(|refused| refused != Refused::InAll));
            let text = "send it again after Max-Age: too many requests are in progress";
            return Err(NotAdmitted::Response(self.unavailable(text)));
        }
        let bytes = Exchange::<P, X::Context>::OVERHEAD + bytes;
        if self.has_bytes(peer.owner, bytes) {
            return Ok(());
        }
        self.counters.bytes_above_share += 1;
        // A non-confirmable message may be lost anyway, and a response to each would be more to hold.
        if meta.message_type == MessageType::NonConfirmable {
            return Err(NotAdmitted::Silence);
        }
        let text = "send it again after Max-Age: this host has its share in progress";
        Err(NotAdmitted::Response(self.unavailable(text)))
    }

    /// Whether an owner may take so many bytes. Its retained responses make room for them, the oldest first.
    fn has_bytes(&mut self, owner: Owner, bytes: usize) -> bool {
        let bounds = Bounds::of_bytes(self.limits.held_bytes);
        let more = Amount::bytes(bytes);
        let without_retained = self.held_beside_retained(owner);
        if bounds.admit(without_retained, more).is_err() {
            return false;
        }
        while let Err(refused) = bounds.admit(without_retained + self.dedup.held(owner), more) {
            if !self.dedup.make_room(owner, refused) {
                break;
            }
        }
        true
    }

    fn held_beside_retained(&self, owner: Owner) -> Held {
        let rooms = self.rooms_beside_retained();
        rooms
            .into_iter()
            .fold(Held::default(), |sum, room| sum + room.held(owner))
    }

    /// Everything that counts, retained responses apart.
    pub(super) fn rooms_beside_retained(&self) -> [&Shares; 6] {
        [
            self.exchanges.shares(),
            self.reliability.shares(),
            self.block1.bodies.shares(),
            self.block2.bodies.shares(),
            self.observations.shares(),
            self.leisure.shares(),
        ]
    }

    pub(super) fn unavailable(&self, text: &str) -> Message {
        Message::diagnostic(code::SERVICE_UNAVAILABLE, text)
            .with_uint_option(MAX_AGE, self.limits.retry_after)
    }
}
