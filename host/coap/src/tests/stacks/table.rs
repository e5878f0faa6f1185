//! The stacks, as data: what they can parse, and their habits, with the settings that they have by default.

/// What a stack does with a separate response (RFC 7252 §5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separate {
    /// It waits for it, and acknowledges it.
    Waits,
    /// The empty ACK ends the exchange; the response gets neither ACK nor RST.
    EndsAtAck,
    /// It takes it for a request that it does not serve: ACK 4.04.
    TakesForRequest,
}

/// What a stack does with an empty confirmable message of somebody that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    Reset,
    Acknowledges,
    AcknowledgesNotFound,
}

/// How a stack makes message IDs and tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    Random,
    /// The same ones after each start.
    Repeats,
}

/// One stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stack {
    pub(super) name: &'static str,
    /// Bytes of a datagram. A longer one is cut, and acknowledged.
    pub(super) datagram: usize,
    /// Bytes of a payload. A longer one is cut.
    pub(super) payload: usize,
    /// The highest option that its parser takes; with a higher one it discards the message.
    pub(super) highest_option: u16,
    /// Options of a message.
    pub(super) options: usize,
    /// Bytes of an option's value.
    pub(super) option_value: usize,
    /// Bytes of Observe.
    pub(super) observe: usize,
    pub(super) separate: Separate,
    pub(super) ping: Ping,
    pub(super) ids: Ids,
    /// Whether it repeats a confirmable request.
    pub(super) retransmits: bool,
    /// Size exponent of Block2 in its requests.
    pub(super) block2: Option<u8>,
    /// Whether it fetches the rest of a response in blocks.
    pub(super) fetches: bool,
    /// Whether Block2 may stand in its registration.
    pub(super) registers_with_block2: bool,
    /// Size exponent of its Block1; none if it cannot upload in blocks.
    pub(super) block1: Option<u8>,
    /// Whether it observes.
    pub(super) observes: bool,
}

/// One without bounds and bad habits: libcoap and aiocoap are near it.
const CAPABLE: Stack = Stack {
    name: "libcoap on Linux",
    datagram: 1_152,
    payload: 1_024,
    highest_option: u16::MAX,
    options: 64,
    option_value: 1_034,
    observe: 3,
    separate: Separate::Waits,
    ping: Ping::Reset,
    ids: Ids::Random,
    retransmits: true,
    block2: None,
    fetches: true,
    registers_with_block2: true,
    block1: Some(6),
    observes: true,
};

/// The stacks with their defaults.
pub(super) const STACKS: [Stack; 11] = [
    CAPABLE,
    Stack {
        name: "RIOT gcoap",
        datagram: 128,
        ids: Ids::Repeats,
        block1: Some(2),
        ..CAPABLE
    },
    Stack {
        name: "RIOT nanocoap_sock",
        datagram: 128,
        ping: Ping::Acknowledges,
        fetches: false,
        block1: Some(2),
        observes: false,
        ..CAPABLE
    },
    Stack {
        name: "Contiki-NG",
        payload: 64,
        datagram: 62 + 64,
        highest_option: 60,
        separate: Separate::EndsAtAck,
        ids: Ids::Repeats,
        block2: Some(2),
        registers_with_block2: false,
        block1: Some(2),
        ..CAPABLE
    },
    Stack {
        name: "Zephyr",
        datagram: 256 + 48,
        option_value: 12,
        block1: Some(2),
        ..CAPABLE
    },
    Stack {
        name: "CoAP-simple for Arduino",
        datagram: 128,
        highest_option: 255,
        options: 10,
        separate: Separate::TakesForRequest,
        ping: Ping::AcknowledgesNotFound,
        ids: Ids::Repeats,
        retransmits: false,
        fetches: false,
        block1: None,
        observes: false,
        ..CAPABLE
    },
    Stack {
        name: "microcoap",
        options: 16,
        fetches: false,
        block1: None,
        observes: false,
        ..CAPABLE
    },
    Stack {
        name: "mbed-coap",
        highest_option: 60,
        observe: 2,
        fetches: false,
        block1: None,
        ..CAPABLE
    },
    Stack {
        name: "OpenThread",
        datagram: 1_280,
        fetches: false,
        block1: None,
        observes: false,
        ..CAPABLE
    },
    Stack {
        name: "libcoap with lwIP",
        datagram: 400,
        option_value: 12,
        block1: Some(4),
        ..CAPABLE
    },
    Stack {
        name: "wakaama",
        block2: Some(6),
        block1: Some(6),
        ..CAPABLE
    },
];
