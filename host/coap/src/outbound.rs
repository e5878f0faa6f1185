//! Own confirmable messages toward one peer: the one that waits for its acknowledgement, and those behind it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec;
use crate::message::{Datagram, Token};
use crate::observation::ObservationId;
use share::{Amount, Owner};

/// The purpose of a confirmable message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A separate response. Nothing depends on its delivery.
    Response,
    /// A separate response that began an observation.
    FirstResponse(ObservationId),
    /// A notification. The observation continues or ends with it.
    Notification(ObservationId),
    /// A ping whose RST proves the peer's address.
    AddressProof,
}

impl Purpose {
    pub(super) fn is_response(self) -> bool {
        matches!(self, Self::Response | Self::FirstResponse(_))
    }
}

/// What a message takes of the endpoint until it is acknowledged or dropped, who holds it, and its token.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) owner: Owner,
    pub(super) amount: Amount,
    pub(super) token: Token,
}

/// A message that waits for the acknowledgement of another one.
pub(super) struct Waiting {
    pub(super) purpose: Purpose,
    pub(super) held: Held,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// Never sent.
    New(Datagram),
    /// Sent before. The same bytes leave again, so the receiver recognises the message ID.
    Again { message_id: u16, bytes: Vec<u8> },
}

impl Waiting {
    /// Its bytes if it has never left.
    pub(super) fn unsent_bytes(&self) -> usize {
        match &self.content {
            Content::New(datagram) => codec::encode(datagram).len(),
            Content::Again { .. } => 0,
        }
    }

    pub(super) fn was_sent_as(&self, id: u16) -> bool {
        matches!(self.content, Content::Again { message_id, .. } if message_id == id)
    }
}

/// The confirmable message that waits for its acknowledgement, and those behind it.
pub(super) struct Outbound {
    pub(super) purpose: Purpose,
    pub(super) held: Held,
    pub(super) message_id: u16,
    pub(super) bytes: Vec<u8>,
    pub(super) timer: (Instant, u64),
    pub(super) timeout: Duration,
    pub(super) retransmissions: u32,
    pub(super) waiting: VecDeque<Waiting>,
}

impl Outbound {
    pub(super) fn purposes(&self) -> impl Iterator<Item = Purpose> {
        let waiting = self.waiting.iter().map(|waiting| waiting.purpose);
        [self.purpose].into_iter().chain(waiting)
    }

    /// Whether a ping is among them.
    pub(super) fn is_proving(&self) -> bool {
        self.purposes()
            .any(|purpose| purpose == Purpose::AddressProof)
    }

    /// Whether the message that waits is a ping with this ID.
    pub(super) fn is_ping(&self, message_id: u16) -> bool {
        self.purpose == Purpose::AddressProof && self.message_id == message_id
    }

    /// Whether the message behind the current one was sent before.
    pub(super) fn is_before_repetition(&self) -> bool {
        let next = self.waiting.front();
        next.is_some_and(|waiting| matches!(waiting.content, Content::Again { .. }))
    }

    pub(super) fn has_response(&self, token: Token) -> bool {
        let waiting = self.waiting.iter().map(|one| (one.purpose, one.held.token));
        let mut all = [(self.purpose, self.held.token)].into_iter().chain(waiting);
        all.any(|(purpose, of)| purpose.is_response() && of == token)
    }

    /// Bytes of the messages behind the current one that have never left.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.waiting.iter().map(Waiting::unsent_bytes).sum()
    }

    pub(super) fn responses(&self) -> usize {
        self.purposes()
            .filter(|purpose| purpose.is_response())
            .count()
    }
}

/// The result of a step toward one peer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Bytes to send now.
    pub(super) transmit: Option<Vec<u8>>,
    /// Messages dropped because no message ID was free.
    pub(super) without_id: Vec<Purpose>,
    /// A response dropped for a newer one.
    pub(super) displaced: Option<Purpose>,
}

/// The result of a due timer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due<P> {
    /// Send again.
    Retransmit(P, Vec<u8>, Purpose),
    /// The peer acknowledged no retransmission of this message.
    Unacknowledged(P, Purpose),
}
