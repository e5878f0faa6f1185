//! What egress is made from, and how fast and large it may be.

use std::path::PathBuf;
use std::sync::Arc;

use super::concurrency_limit::ConcurrencyLimit;
use super::homeserver::Homeserver;
use super::record::CallRecord;
use contract::clock::Clock;

/// Bounds of egress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// Calls in flight per homeserver. 512 connections of 200 ms carry 2,560 requests per second.
    pub in_flight: usize,
    /// Calls that wait for one of those; what exceeds it is answered `busy` at once.
    pub queued: usize,
    /// Bytes of a homeserver's answer: a page of a room's largest events.
    pub answer: usize,
}

/// What homeservers that are not configured share: one budget and one record for all of them, since devices choose their names.
#[derive(Clone)]
pub struct Others {
    pub(super) slots: ConcurrencyLimit,
    pub(super) record: Arc<CallRecord>,
}

impl Others {
    /// Nothing in flight, nothing known.
    #[must_use]
    pub fn new(limits: UpstreamLimits) -> Self {
        Self {
            slots: ConcurrencyLimit::new(limits.in_flight, limits.queued),
            record: Arc::default(),
        }
    }
}

/// Peers that the configured token may serve.
pub type TokenPeers = Vec<ipnet::IpNet>;

/// What egress is made from.
#[derive(Clone)]
pub struct UpstreamSettings {
    /// The configured homeservers, the default first. Not empty.
    pub homeservers: Vec<Homeserver>,
    /// Where devices may name homeservers that are not configured: what those share.
    pub others: Option<Others>,
    /// Who may use a configured token.
    pub token_peers: TokenPeers,
    /// Certificate authorities (PEM) in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Bounds.
    pub limits: UpstreamLimits,
    /// The time of day, to tell a certificate that has expired from a clock that is not set.
    pub clock: Clock,
}
