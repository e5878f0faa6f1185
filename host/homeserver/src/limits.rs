//! Bounds of egress.

/// Bounds of egress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// Calls in flight per homeserver. 512 connections of 200 ms carry 2,560 requests per second.
    pub in_flight: usize,
    /// Calls that wait for one of those; a call beyond them ends with `busy` at once.
    pub queued: usize,
    /// Bytes of a homeserver's response: a page of a room's largest events.
    pub response: usize,
    /// Bytes of all responses that are being received at once, those to long polls too; an eighth of them for the calls
    /// of one host, and at least one largest response. A response beyond them ends with `busy`.
    pub responses: usize,
}
