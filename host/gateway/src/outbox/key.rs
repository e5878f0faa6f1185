//! What names a delivery and orders it, borrowed: most deliveries are made at once, and need no record.

use std::net::IpAddr;

/// The names of a delivery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    /// The homeserver.
    pub(super) origin: &'a str,
    /// Part of the digest of the access token that the device presented; none: the configured one.
    pub(super) account: Option<u64>,
    pub(super) lane: &'a str,
    pub(super) transaction: &'a str,
    pub(super) ip: IpAddr,
    pub(super) principal: Option<&'a str>,
    /// Whether the device has proven its address, or is authenticated.
    pub(super) is_proven: bool,
}
