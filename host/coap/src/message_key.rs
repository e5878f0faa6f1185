//! What identifies a message among those of its peer, for the lifetime of its message ID (RFC 7252 §4.4).

use crate::message::MessageType;

/// A duplicate has all of these. The bytes belong to them because a retransmission has the same bytes (RFC 7252 §4.2),
/// and a device that restarts without entropy may use a message ID again: what it sends then is another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MessageKey {
    pub(super) message_type: MessageType,
    pub(super) message_id: u16,
    /// Keyed hash of the datagram. Two of 2^64 may be taken for one, and no peer can compute such two.
    pub(super) digest: u64,
}

impl MessageKey {
    /// Whether another message has the same ID, or the same message came again.
    pub(super) fn has_id_of(&self, other: &Self) -> bool {
        self.message_type == other.message_type && self.message_id == other.message_id
    }
}
