//! What happened at an endpoint since it was made, as numbers that only grow.

/// Counts of events. Nothing here is per peer: a flood costs no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub datagrams: u64,
    /// Of them, not a CoAP message; answered with RST where they were confirmable.
    pub malformed: u64,
    /// Well-formed messages that an endpoint has no use for: responses nobody waits for, stray ACK and RST.
    pub unexpected: u64,
    /// Pings answered with RST.
    pub pings: u64,
    /// Requests received before and not processed again.
    pub duplicates: u64,
    /// Requests handed to the caller.
    pub requests: u64,
    /// Responses in an acknowledgement.
    pub piggybacked: u64,
    /// Responses in a confirmable message of their own.
    pub separate: u64,
    /// Responses in a non-confirmable message.
    pub non_confirmable: u64,
    /// Confirmable messages sent again.
    pub retransmissions: u64,
    /// Observations begun.
    pub observations: u64,
    /// Requests for an observation that were answered once, for want of room.
    pub observations_refused: u64,
    /// Observations of peers with unproven addresses that made room for others.
    pub observations_displaced: u64,
    /// Notifications sent; retransmissions are not counted.
    pub notifications: u64,
    /// Separate responses and notifications that the peer never acknowledged.
    pub given_up: u64,
    /// Separate responses and notifications that the peer answered with RST.
    pub reset_by_peer: u64,
    /// Requests with a critical option that is not understood.
    pub bad_options: u64,
    /// Requests answered 5.03 because too many are in flight.
    pub overloaded: u64,
    /// Requests answered 4.13.
    pub too_large: u64,
    /// Requests answered 4.08: blocks are missing.
    pub incomplete: u64,
    /// Block-wise bodies not begun or not kept for want of room.
    pub bodies_refused: u64,
    /// Block-wise bodies dropped for others or because they were idle.
    pub bodies_dropped: u64,
    /// Retained answers dropped before their time.
    pub retained_responses_evicted: u64,
    /// Responses not sent because no message ID was free toward the peer.
    pub message_ids_exhausted: u64,
    /// Responses replaced by 5.00, since they were no response or above a limit.
    pub bad_responses: u64,
    /// Datagrams above the rate of their peer: answered 4.29 now and then, else ignored.
    pub rate_limited: u64,
    /// Malformed messages that got no RST, since there were too many.
    pub resets_withheld: u64,
    /// Peers forgotten for others while their rate or proof still counted.
    pub peers_forgotten: u64,
    /// Responses that the client did not want (No-Response), or that a group does not get.
    pub silenced: u64,
    /// Requests answered 4.01 with Echo, so that the peer proves its address.
    pub challenges: u64,
    /// Peers that proved their address.
    pub proofs: u64,
    /// Retransmissions not sent, since the address is not proven and has had its bytes.
    pub retransmissions_withheld: u64,
    /// Datagrams that came to a group.
    pub multicasts: u64,
    /// DedupCache to a group not sent, since too many wait for their time.
    pub multicast_responses_dropped: u64,
}
