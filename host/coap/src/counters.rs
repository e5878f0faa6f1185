//! Counts of events at an endpoint.

/// Counts of events since the endpoint was made. They only grow. None is per peer, so a flood costs no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub datagrams: u64,
    /// Datagrams that are no CoAP message. A confirmable one gets a RST.
    pub malformed: u64,
    /// Well-formed messages without a purpose: responses without a request, and ACK and RST without a message.
    pub unexpected: u64,
    /// Pings, which get a RST.
    pub pings: u64,
    /// Duplicates of requests, which are not processed again.
    pub duplicates: u64,
    /// Requests with the message ID of another one that is still remembered: their device has restarted. They are
    /// processed like any other.
    pub message_ids_reused: u64,
    /// Requests handed to the caller.
    pub requests: u64,
    /// Responses in an acknowledgement.
    pub piggybacked: u64,
    /// Responses in a confirmable message of their own.
    pub separate: u64,
    /// Responses in a non-confirmable message.
    pub non_confirmable: u64,
    /// Retransmissions of confirmable messages.
    pub retransmissions: u64,
    /// Observations begun.
    pub observations: u64,
    /// Requests for an observation that got one response, because a limit was reached.
    pub observations_refused: u64,
    /// Those of them whose host had its share of the observations.
    pub observations_above_share: u64,
    /// Observations of peers with unproven addresses that ended for others.
    pub observations_displaced: u64,
    /// Notifications sent; retransmissions are not counted.
    pub notifications: u64,
    /// Separate responses and notifications that the peer never acknowledged.
    pub given_up: u64,
    /// Separate responses and notifications that the peer rejected with RST.
    pub reset_by_peer: u64,
    /// Requests with a critical option that is not understood.
    pub bad_options: u64,
    /// Messages with more options than this endpoint reads. A confirmable request gets 4.02.
    pub excessive_options: u64,
    /// Requests refused with 5.03, because too many exchanges are in flight.
    pub overloaded: u64,
    /// Those of them whose host had its share of the exchanges, although others had room.
    pub exchanges_above_share: u64,
    /// Requests refused with 5.03, or with silence if non-confirmable, because their host had its share of the bytes
    /// that the endpoint holds.
    pub bytes_above_share: u64,
    /// Requests refused with 4.13.
    pub too_large: u64,
    /// Requests refused with 4.08, because blocks are missing.
    pub incomplete: u64,
    /// Block-wise bodies refused or not stored for want of room.
    pub bodies_refused: u64,
    /// Those of them whose host had its share of the bytes for bodies.
    pub bodies_above_share: u64,
    /// Block-wise bodies dropped for others or because they were idle.
    pub bodies_dropped: u64,
    /// Retained responses dropped before the lifetime of their message ID ended.
    pub retained_responses_evicted: u64,
    /// Messages not sent, because no message ID was free for the peer.
    pub message_ids_exhausted: u64,
    /// Responses of the caller replaced by 5.00: without a response code, or above a limit.
    pub bad_responses: u64,
    /// Datagrams above the rate of their peer, which get 4.29 from time to time and are else ignored.
    pub rate_limited: u64,
    /// Malformed confirmable messages without a RST, and ones with too many options without 4.02, because there were
    /// too many.
    pub resets_withheld: u64,
    /// Peers whose rate or proof of address was dropped for other peers.
    pub peers_forgotten: u64,
    /// Responses not sent because of No-Response (RFC 7967), or because the request came to a group.
    pub silenced: u64,
    /// Requests refused with 4.01 and Echo, so that the peer proves its address.
    pub challenges: u64,
    /// Peers that proved their address.
    pub proofs: u64,
    /// Requests that the caller processes only once their peer has proven its address.
    pub deferred: u64,
    /// Those whose peer has proven it.
    pub deferred_released: u64,
    /// Those dropped, or refused with 4.01 and Echo.
    pub deferred_dropped: u64,
    /// Times that an unproven address sent too many wrong message IDs: no ACK and no RST proves it for a minute.
    pub proofs_blocked: u64,
    /// Retransmissions not sent, because the address is not proven and has received its bytes.
    pub retransmissions_withheld: u64,
    /// Datagrams that came to a group.
    pub multicasts: u64,
    /// Responses to a group not sent, because too many wait within the leisure.
    pub multicast_responses_dropped: u64,
}
