//! The limits of a rule. Every limit is finite by default.

use std::time::Duration;

/// Bytes of a change: a message that a constrained device can take in blocks.
pub const MAX_CHANGE: usize = 16 << 10;
/// Changes in the response to one poll: several times the number that a rule requests from a homeserver.
pub const MAX_CHANGES: usize = 1024;

/// Bytes that the exchanges in flight of all rules hold: 256 calls with the largest Matrix event, in the build for
/// routers 64. Without the limit, a slow homeserver and a few busy devices would take all of a router's memory.
pub const MAX_IN_FLIGHT_BYTES: usize = if cfg!(feature = "router") {
    4 << 20
} else {
    16 << 20
};

/// Limits of one rule. The defaults are for a rule from a third party; the built-in rule has [`RuleLimits::trusted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleLimits {
    /// CPU time per call. A translation takes microseconds; 20 ms bound the time that a faulty rule takes from others.
    pub call_time: Duration,
    /// Percent of a core over a second or more. A tenth leaves nine tenths for others. A call that ends at its time
    /// limit counts, so an endless loop gets five tries a second.
    pub cpu_percent: u32,
    /// Bytes of each linear memory. An HTTP response of 1 MiB and its parsed values must fit. Above
    /// [`Engine::SMALL_MEMORY`](crate::Engine::SMALL_MEMORY) the rule runs from a pool of large slots.
    pub memory: usize,
    /// Linear memories. A compiled rule has one; an interpreter in a component can have three.
    pub memories: usize,
    /// Bytes of `step.state`: it is kept for each exchange that waits for a homeserver.
    pub state: usize,
    /// Bytes of a request body to a homeserver and of a response to a device: a device's 128 KiB can double from CBOR
    /// to JSON.
    pub body: usize,
    /// Headers of a request to a homeserver. The default rule needs two.
    pub headers: usize,
    /// Homeserver calls per exchange: enough for one alias lookup and five pages, and an end to a rule that calls
    /// without end.
    pub steps: u32,
    /// Exchanges that wait for a homeserver: some for each of many devices, and half of the calls that one homeserver
    /// gets at a time, so that a rule cannot take all of them.
    pub in_flight: usize,
    /// Bytes of the calls and states of these exchanges: a quarter of what the gateway has for all rules. 16 calls with
    /// a body at its limit fit, or more than `in_flight` calls of ordinary size.
    pub in_flight_bytes: usize,
    /// Exchanges per second, with a burst of as many: a thousand devices that report every ten seconds.
    pub per_second: u32,
    /// Log lines per second, with a burst of as many: a person does not read more.
    pub log_lines_per_second: u32,
}

impl Default for RuleLimits {
    fn default() -> Self {
        Self {
            call_time: Duration::from_millis(20),
            cpu_percent: 10,
            memory: 2 << 20,
            memories: 1,
            state: 16 << 10,
            body: 256 << 10,
            headers: 16,
            steps: 6,
            in_flight: 256,
            in_flight_bytes: MAX_IN_FLIGHT_BYTES / 4,
            per_second: 100,
            log_lines_per_second: 10,
        }
    }
}

impl RuleLimits {
    /// For the rule that is part of the gateway: it may use all that the gateway has.
    #[must_use]
    pub fn trusted() -> Self {
        Self {
            cpu_percent: 100,
            in_flight: 1 << 14,
            in_flight_bytes: MAX_IN_FLIGHT_BYTES,
            per_second: 1_000_000,
            ..Self::default()
        }
    }
}

/// A limit of a rule, for counting how often it was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`RuleLimits::call_time`]: 5.00.
    CallTime,
    /// [`RuleLimits::cpu_percent`]: 5.03.
    CpuShare,
    /// [`RuleLimits::memory`]: 5.00.
    Memory,
    /// [`RuleLimits::state`]: 5.00.
    State,
    /// [`RuleLimits::body`]: the call is denied, or 5.00.
    Body,
    /// [`RuleLimits::headers`]: the call is denied.
    Headers,
    /// [`RuleLimits::steps`]: 5.00.
    Steps,
    /// [`RuleLimits::in_flight`]: 5.03.
    InFlight,
    /// [`RuleLimits::in_flight_bytes`]: 5.03; a further call of an exchange ends with `busy`.
    InFlightBytes,
    /// [`RuleLimits::per_second`]: 5.03.
    Rate,
    /// [`RuleLimits::log_lines_per_second`]: the line is dropped.
    LogLines,
}

impl Limit {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 11] = [
        Self::CallTime,
        Self::CpuShare,
        Self::Memory,
        Self::State,
        Self::Body,
        Self::Headers,
        Self::Steps,
        Self::InFlight,
        Self::InFlightBytes,
        Self::Rate,
        Self::LogLines,
    ];

    /// Its name in the configuration (`[rule.limits]`) and in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CallTime => "call_ms",
            Self::CpuShare => "cpu_percent",
            Self::Memory => "memory",
            Self::State => "state",
            Self::Body => "body",
            Self::Headers => "headers",
            Self::Steps => "steps",
            Self::InFlight => "in_flight",
            Self::InFlightBytes => "in_flight_bytes",
            Self::Rate => "per_second",
            Self::LogLines => "log_lines_per_second",
        }
    }
}
