//! The limits and times of an endpoint. All are finite, and the reason for each default is beside it.

use std::time::Duration;

use crate::block::MAX_SIZE_EXPONENT;
use crate::network_settings::NetworkSettings;

/// Limits of one endpoint. `Limits::default()` follows RFC 7252 and suits a small server, such as a border router.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request body, whole or in blocks. Above: 4.13 with Size1. 128 KiB holds a JSON document of 64 KiB, a
    /// usual limit, in any encoding.
    pub request_body: usize,
    /// Bytes of a response body. Above: 5.00. A device can fetch 1 MiB in 1,024 blocks.
    pub response_body: usize,
    /// Bytes of a response's options. Above: 5.00. Options and a block then fit into a few frames of IEEE 802.15.4.
    pub response_options: usize,
    /// Largest size exponent of blocks, 0 to 6, of responses, and the one that the endpoint asks of clients with larger
    /// blocks. 6 is 1,024 bytes, which RFC 7252 §4.6 expects every path to carry.
    pub block_size_exponent: u8,
    /// Size exponent of the first block of a response whose request names no size, and of notifications, to a peer that
    /// has named none before. 2 is 64 bytes: with its options it fits into a frame of IEEE 802.15.4 and into the
    /// smallest buffers of usual stacks, which cut what is longer, and acknowledge it.
    pub first_block_exponent: u8,
    /// Datagrams per second of one peer, at most 500 at once; 0: no limit. Above: 4.29 with Max-Age from time to time,
    /// else silence (RFC 8516). 5,000 is a hundred times the capacity of a radio with 250 kbit/s, and a peer that
    /// floods takes less than a tenth of a core.
    pub datagrams_per_second_per_peer: u32,
    /// RSTs per second to malformed messages of all peers. Above: silence, which RFC 7252 §4.2 allows. A faulty device
    /// needs one RST; a flood from many addresses gets no more.
    pub resets_per_second: u32,
    /// Least bytes of a datagram to an unproven address; three times the request's bytes if that is more. RFC 9175 §2.4
    /// names 136. `usize::MAX`: every address counts as proven.
    pub unproven_bytes: usize,
    /// Whether a peer must prove its address before its request is processed (RFC 9175 §2.4), see
    /// [`Endpoint::prove_then`](crate::Endpoint::prove_then).
    pub echo: bool,
    /// Leisure, RFC 7252 §8.2: the time over which responses to a group are spread. 2 s: some stacks wait 5 s for the
    /// response to a non-confirmable request (RIOT), the default of the RFC.
    pub leisure: Duration,
    /// Responses to groups that wait within the leisure. Above: no response. A few people discover a group at a time.
    pub multicast_responses: usize,
    /// Exchanges in flight with one peer. Above: 5.03. Separate responses that wait for an acknowledgement count apart:
    /// above as many, the oldest that has not left is dropped. A device has one (NSTART); 16
    /// suffice for several devices behind one address.
    pub exchanges_per_peer: usize,
    /// Exchanges in flight in all. Above: 5.03. About 10 MiB of requests of ordinary size.
    pub exchanges: usize,
    /// Observations in all. Above: one response without Observe (RFC 7641 §4.1). One takes about 2 KiB, in the endpoint
    /// and its caller.
    pub observations: usize,
    /// Observations of one peer. A device observes one or two resources; 16 suffice for several devices behind one
    /// address.
    pub observations_per_peer: usize,
    /// Whether notifications may be non-confirmable: less airtime for a device that can miss one.
    pub non_confirmable_notifications: bool,
    /// The longest time without a confirmable notification (RFC 7641 §4.5): 24 h.
    pub confirm_interval: Duration,
    /// A notification within this time after another one is confirmable, and so waits for its acknowledgement: 3 s if
    /// the round-trip time is unknown (RFC 7641 §4.5.1).
    pub notification_interval: Duration,
    /// Responses retained per peer for duplicates; the oldest leaves first. A peer on a constrained network does not
    /// send 64 requests while a duplicate travels.
    pub retained_responses_per_peer: usize,
    /// Bytes of retained responses in all, with their entries (450 for a response of 64 bytes): seven eighths for
    /// successes and one for errors, so that errors displace no success. When they are used up, hosts above an eighth
    /// lose their oldest first. A duplicate whose response has left is processed as a new request. 8 MiB hold the
    /// lifetime of a message ID (247 s) at 65 messages per second, or one message of each of 16,000 peers.
    pub retained_response_bytes: usize,
    /// Bytes of block-wise bodies in all. Requests and responses have half each, so that uploads cannot displace bodies
    /// that others fetch.
    pub body_bytes: usize,
    /// Bytes of all that messages make the endpoint hold: requests in progress with their options, messages that wait
    /// for an acknowledgement, bodies, observations, retained responses. Above: 5.03 with Max-Age, and none to a
    /// non-confirmable request; retained responses are dropped first. 32 MiB are a little more than the other limits
    /// allow in ordinary use; they count pieces, and one piece may be large.
    pub held_bytes: usize,
    /// Networks of devices with settings of their own. Each request is compared with all of them.
    pub networks: Vec<NetworkSettings>,
    /// A block-wise body that is not used for this time is dropped. 60 s suffice for a client that retransmits a block
    /// after 2, 4, 8 and 16 s.
    pub body_idle: Duration,
    /// A body that was used within this time is not dropped for another one; the new request gets 5.03.
    pub body_protected: Duration,
    /// Time until an empty ACK leaves and the response becomes separate (RFC 7252 §5.2.2). 1 s: clients retransmit
    /// after 2 to 3 s, and the ACK needs time on a slow link.
    pub ack_delay: Duration,
    /// The same for a peer that left a separate response unacknowledged: some stacks take the empty ACK for the end
    /// (Contiki-NG). 10 s is as long as most exchanges take; the peer retransmits its request meanwhile, and gives up
    /// after 45 s at the earliest (RFC 7252 §4.8.2, MAX_TRANSMIT_SPAN).
    pub ack_delay_max: Duration,
    /// ACK_TIMEOUT, RFC 7252 §4.8.
    pub ack_timeout: Duration,
    /// ACK_RANDOM_FACTOR, RFC 7252 §4.8; at least 1.
    pub ack_random_factor: f64,
    /// MAX_RETRANSMIT, RFC 7252 §4.8.
    pub max_retransmit: u32,
    /// EXCHANGE_LIFETIME, RFC 7252 §4.8.2: how long the message ID of a CON identifies one message.
    pub exchange_lifetime: Duration,
    /// NON_LIFETIME, RFC 7252 §4.8.2: the same for a NON.
    pub non_lifetime: Duration,
    /// Max-Age of a 5.03, in seconds. If exchanges take up to 10 s, half of them have ended by then.
    pub retry_after: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body: 128 * 1024,
            response_body: 1024 * 1024,
            response_options: 1024,
            block_size_exponent: MAX_SIZE_EXPONENT,
            first_block_exponent: 2,
            datagrams_per_second_per_peer: 5_000,
            resets_per_second: 1_000,
            unproven_bytes: 136,
            echo: false,
            leisure: Duration::from_secs(2),
            multicast_responses: 256,
            exchanges_per_peer: 16,
            exchanges: 16_384,
            observations: 10_000,
            observations_per_peer: 16,
            non_confirmable_notifications: false,
            confirm_interval: Duration::from_secs(24 * 3600),
            notification_interval: Duration::from_secs(3),
            retained_responses_per_peer: 64,
            retained_response_bytes: 8 * 1024 * 1024,
            body_bytes: 8 * 1024 * 1024,
            held_bytes: 32 * 1024 * 1024,
            networks: Vec::new(),
            body_idle: Duration::from_secs(60),
            body_protected: Duration::from_secs(10),
            ack_delay: Duration::from_secs(1),
            ack_delay_max: Duration::from_secs(10),
            ack_timeout: Duration::from_secs(2),
            ack_random_factor: 1.5,
            max_retransmit: 4,
            exchange_lifetime: Duration::from_secs(247),
            non_lifetime: Duration::from_secs(145),
            retry_after: 5,
        }
    }
}
