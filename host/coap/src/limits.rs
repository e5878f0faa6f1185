//! The bounds and times of the endpoint. All finite; each reason stands beside its bound.

use std::time::Duration;

use crate::block::MAX_SIZE_EXPONENT;

/// Bounds of one endpoint. `Limits::default()` is what RFC 7252 and the size of a border router suggest.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request body, whole or in blocks. Above: 4.13 with Size1. 128 KiB is twice what a Matrix
    /// event may have.
    pub request_body: usize,
    /// Bytes of a response body. Above: 5.00. 1 MiB is what a homeserver's answer may have.
    pub response_body: usize,
    /// Bytes of a response's options. Above: 5.00. So that options and a block stay within a few frames.
    pub response_options: usize,
    /// Largest size exponent of blocks, 0 to 6: of responses, where clients may ask for smaller ones, and the one asked of
    /// clients that send larger ones. 6 is 1,024 bytes,
    /// what RFC 7252 §4.6 expects every path to carry.
    pub block_size_exponent: u8,
    /// Datagrams per second that one peer may send, 500 of them at once; 0: any number. Above: 4.29 with Max-Age now
    /// and then, else silence (RFC 8516). 5,000 is a hundred times what a radio of 250 kbit/s carries, and yet a peer
    /// that floods takes less than a tenth of a core.
    pub datagrams_per_second_per_peer: u32,
    /// RSTs per second to messages that are malformed, in all. Beyond it: silence, which RFC 7252 §4.2 allows. A faulty
    /// device needs one; a flood from many addresses gets no more.
    pub resets_per_second: u32,
    /// Bytes of a datagram to a peer whose address is not proven, where three times its request are not more (RFC 9175 §2.4
    /// names 136). `usize::MAX`: addresses are proven by other means.
    pub unproven_bytes: usize,
    /// Whether a peer must prove its address before anything is done for it: 4.01 with Echo (RFC 9175 §2.4).
    pub echo: bool,
    /// DEFAULT_LEISURE, RFC 7252 §8.2: the time over which answers to a group are spread.
    pub leisure: Duration,
    /// DedupCache to groups that wait for their time. Above: no answer. A group is asked by a few people.
    pub multicast_responses: usize,
    /// Exchanges in flight toward one peer, separate responses included. Above: 5.03. A device has one
    /// (NSTART); 16 leaves room for a router behind one address.
    pub exchanges_per_peer: usize,
    /// Exchanges in flight in all. Above: 5.03. About 10 MiB of requests of ordinary size.
    pub exchanges: usize,
    /// Observations in all. Above: the device is answered once, without Observe (RFC 7641 §4.1). What one keeps, here and
    /// above the endpoint, is about 2 KiB.
    pub observations: usize,
    /// Observations of one peer. A device has one or two resources that it waits for; 16 leaves room for a router behind
    /// one address.
    pub observations_per_peer: usize,
    /// Whether notifications may be non-confirmable: less airtime for a device that can afford to miss one.
    pub non_confirmable_notifications: bool,
    /// The longest time without a confirmable notification (RFC 7641 §4.5): 24 h.
    pub confirm_interval: Duration,
    /// A notification that follows another one within this time is confirmable, and so waits for its
    /// acknowledgement: 3 s where no round-trip time is known (RFC 7641 §4.5.1).
    pub notification_interval: Duration,
    /// DedupCache retained per peer for duplicates, oldest out. A peer that sends more than 64 requests while
    /// one duplicate travels has no constrained network.
    pub retained_responses_per_peer: usize,
    /// Bytes of retained answers in all, their bookkeeping included (of an answer of 64 some 350, and 400 of its peer), oldest
    /// out: a duplicate of a request whose answer has left is handled as a new one. 8 MiB are the lifetime of a message ID
    /// (247 s) at 95 messages per second of few peers, or one message of each of 11,000.
    pub retained_response_bytes: usize,
    /// Bytes of block-wise bodies in all. Requests and responses have half each, so that uploads cannot
    /// push out what others are fetching.
    pub body_bytes: usize,
    /// A block-wise body nobody touched for this long is dropped. Long enough for a client that
    /// retransmits a block at 2, 4, 8 and 16 s.
    pub body_idle: Duration,
    /// A body touched within this time is not dropped for another one: who comes late waits (5.03).
    pub body_protected: Duration,
    /// How long an answer may take before an empty ACK is sent and the answer follows on its own (RFC 7252
    /// §5.2.2). 1 s: clients retransmit after 2 to 3 s, and the ACK needs its time on a slow link too.
    pub ack_delay: Duration,
    /// ACK_TIMEOUT, RFC 7252 §4.8.
    pub ack_timeout: Duration,
    /// ACK_RANDOM_FACTOR, RFC 7252 §4.8; at least 1.
    pub ack_random_factor: f64,
    /// MAX_RETRANSMIT, RFC 7252 §4.8.
    pub max_retransmit: u32,
    /// EXCHANGE_LIFETIME, RFC 7252 §4.8.2: how long a message ID of a CON means the same message.
    pub exchange_lifetime: Duration,
    /// NON_LIFETIME, RFC 7252 §4.8.2: the same for a NON.
    pub non_lifetime: Duration,
    /// Max-Age of a 5.03, in seconds. Exchanges end within 10 s, so half of them are through by then.
    pub retry_after: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body: 128 * 1024,
            response_body: 1024 * 1024,
            response_options: 1024,
            block_size_exponent: MAX_SIZE_EXPONENT,
            datagrams_per_second_per_peer: 5_000,
            resets_per_second: 1_000,
            unproven_bytes: 136,
            echo: false,
            leisure: Duration::from_secs(5),
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
            body_idle: Duration::from_secs(60),
            body_protected: Duration::from_secs(10),
            ack_delay: Duration::from_secs(1),
            ack_timeout: Duration::from_secs(2),
            ack_random_factor: 1.5,
            max_retransmit: 4,
            exchange_lifetime: Duration::from_secs(247),
            non_lifetime: Duration::from_secs(145),
            retry_after: 5,
        }
    }
}
