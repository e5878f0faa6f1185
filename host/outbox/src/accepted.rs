//! A delivery as the gateway accepts it.

use contract::DeliveryId;
use share::Owner;

/// Where a delivery comes from, and where it goes. Digests of 64 bits stand for the names, so that a record takes a
/// fixed number of bytes in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whose share it uses. The host is the device: its principal, else its IP address.
    pub owner: Owner,
    /// The homeserver.
    pub server: u64,
    /// The homeserver and the access token.
    pub account: u64,
    /// The account and the rule's name of the lane.
    pub lane: u64,
}

impl Origin {
    /// The device.
    #[must_use]
    pub fn device(&self) -> u64 {
        self.owner.host
    }
}

/// A delivery that the gateway accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: DeliveryId,
    /// Digest of the datagram that it came with: the message layer's identity (RFC 7252 §4.5).
    pub message: [u8; 16],
    /// Digest of the device, the lane and the device's own transaction id.
    pub name: u64,
    /// Where it comes from and goes.
    pub origin: Origin,
    /// Bytes of its record.
    pub bytes: usize,
    /// Whether its device has proven its address, or is authenticated: others share a half of the outbox.
    pub is_proven: bool,
    /// Unix time of the acceptance; none while the clock was not set.
    pub at: Option<u64>,
    /// Unix time at which it was revived, after it had failed; none if it was not.
    pub revived_at: Option<u64>,
    /// Whether it was attempted before it was accepted: at once, or as the same message some minutes before.
    pub attempted: bool,
}
