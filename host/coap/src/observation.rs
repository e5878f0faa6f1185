//! One observation (RFC 7641): its identity, the events that the caller polls, and its entry in the list of observers.

use std::fmt;
use std::time::Instant;

use crate::block::Block;
use crate::cache_key::ResponseKey;
use crate::message::Token;
use crate::peer::Peer;

/// Identifies one observation of one endpoint. An endpoint never uses one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObservationId(pub(super) u64);

/// An event of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObserveEvent {
    /// The observer has acknowledged the last notification. A non-confirmable notification counts as delivered when it
    /// leaves; one in blocks, when the observer has fetched the last block or has stopped fetching.
    Delivered(ObservationId),
    /// The observer has acknowledged the first block of the last message, which it must have as a whole
    /// ([`Endpoint::respond_feeding`](crate::Endpoint::respond_feeding)), and has stopped fetching the others; or it
    /// has asked for the resource in another request, whose response replaces them.
    Unfetched(ObservationId),
    /// The observation has ended.
    Ended(ObservationId, Ended),
}

/// Why an observation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// GET with Observe 1 (RFC 7641 §3.6).
    Deregistered,
    /// The observer sent another request with the same token (RFC 7641 §4.1).
    Replaced,
    /// The observer rejected a notification with RST (RFC 7641 §3.6).
    Reset,
    /// The observer never acknowledged a notification (RFC 7641 §4.5).
    Unacknowledged,
    /// No message ID was free for a notification.
    WithoutMessageId,
    /// A notification could not be protected.
    Unprotectable,
    /// The resource does not change any more.
    Finished,
    /// The session of the observer has ended: see [`Endpoint::forget`](crate::Endpoint::forget).
    SessionEnded,
    /// The list of observers was full, and the observer had not proven its address.
    Displaced,
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Deregistered => "the device deregistered",
            Self::Replaced => "the device registered again",
            Self::Reset => "the device rejected a notification",
            Self::Unacknowledged => "the device never acknowledged a notification",
            Self::WithoutMessageId => "too many messages went to the device",
            Self::Unprotectable => "its security context has ended, or waits for the store",
            Self::Finished => "the resource does not change any more",
            Self::SessionEnded => "its session has ended",
            Self::Displaced => "others needed its place before the device proved its address",
        })
    }
}

/// One entry of the list of observers (RFC 7641 §4.1). `C` binds its notifications to the protected request, see
/// [`MessageProtection`](crate::MessageProtection).
pub(super) struct Observation<P, C> {
    pub(super) peer: Peer<P>,
    pub(super) token: Token,
    /// Key of a notification's body if it leaves in blocks: that of the request.
    pub(super) response_key: ResponseKey<P>,
    /// The block size that the request asked for.
    pub(super) block2: Option<Block>,
    /// Of the request, if it was protected.
    pub(super) protection: Option<C>,
    /// The security association of a protected request.
    pub(super) association: Option<u64>,
    /// The sequence number of its last notification.
    pub(super) sequence: u32,
    /// When the observer last acknowledged a notification.
    pub(super) confirmed_at: Option<Instant>,
    /// When the last notification left.
    pub(super) notified_at: Option<Instant>,
    /// The message ID of the last non-confirmable notification, which a RST names.
    pub(super) last_non: Option<u16>,
    /// Whether the observer must have each message as a whole.
    pub(super) is_whole: bool,
    /// The ETag of the last message in blocks, if it must be whole: another body of the resource can replace its own.
    pub(super) tag: Vec<u8>,
    /// The blocks of the last notification that the observer has not fetched.
    pub(super) fetch: Fetch,
}

impl<P, C> Observation<P, C> {
    /// The event when the observer does not fetch the rest of its last message.
    pub(super) fn stopped(&self, id: ObservationId) -> ObserveEvent {
        match self.is_whole {
            true => ObserveEvent::Unfetched(id),
            false => ObserveEvent::Delivered(id),
        }
    }
}

/// An observation that a response begins or continues.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    pub(super) id: ObservationId,
    /// The sequence number of the response. A notification may get the next one before the response leaves.
    pub(super) sequence: u32,
}

/// The blocks of a notification after its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    /// There are none, or the observer has fetched all.
    Done,
    /// The observer has not acknowledged the first block.
    Announced,
    /// The observer has acknowledged the first block. The endpoint stops waiting for requests then.
    Until(Instant),
}
