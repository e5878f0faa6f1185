//! The limits of a rule. Every limit is finite by default.

use std::time::Duration;

/// Bytes of a change: a message that a constrained device can take in blocks.
pub const MAX_CHANGE: usize = 16 << 10;
/// Changes in the response to one poll: several times the number that a rule requests from a homeserver.
pub const MAX_CHANGES: usize = 1024;

/// For each such number of bytes of its input, a call has its time once more: the densest JSON text of 1 MiB has half a
/// million values, which take 25 ms on the reference machine.
const TIMED_BYTES: usize = 256 << 10;

/// Calls in flight at one homeserver, unless the operator sets another number. On a router, where a call takes 100 KB,
/// most of it for its connection, 64 calls of 200 ms carry 320 requests per second.
pub const HOMESERVER_CALLS: usize = if cfg!(feature = "router") { 64 } else { 512 };
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
    /// CPU time per call on the reference machine; a slower one gives a call [more](crate::time_factor), and so does a
    /// large input. A translation takes microseconds; 20 ms bound the time that a faulty rule takes from others.
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
    /// Exchanges that wait for a homeserver: some for each of many devices, and [half](Self::share_of_calls) of the
    /// calls that one homeserver gets at a time, so that a rule cannot take all of them.
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
            in_flight: Self::share_of_calls(HOMESERVER_CALLS),
            in_flight_bytes: MAX_IN_FLIGHT_BYTES / 4,
            per_second: 100,
            log_lines_per_second: 10,
        }
    }
}

impl RuleLimits {
    /// The exchanges that one rule may have in flight, of this number of calls at one homeserver.
    #[must_use]
    pub const fn share_of_calls(calls: usize) -> usize {
        if calls < 2 { 1 } else { calls / 2 }
    }

    /// With this many times more time: for a machine that is slower than the reference machine.
    #[must_use]
    pub(crate) fn scaled(self, time_factor: u32) -> Self {
        Self {
            call_time: self.call_time * time_factor,
            ..self
        }
    }

    /// The limits of a call with so many bytes of input.
    #[must_use]
    pub(crate) fn for_input(self, bytes: usize) -> Self {
        // Bytes that a 32-bit number cannot hold are above every limit of the gateway.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let more = self
            .call_time
            .mul_f64(f64::from(bytes) / TIMED_BYTES as f64);
        Self {
            call_time: self.call_time + more,
            ..self
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_more_time_on_a_slower_machine_and_for_a_large_input() {
        let limits = RuleLimits::default();
        let ms = |limits: RuleLimits| limits.call_time.as_millis();
        assert_eq!(ms(limits.for_input(0)), 20);
        assert_eq!(ms(limits.for_input(1000)), 20);
        assert_eq!(ms(limits.for_input(1 << 20)), 100);
        assert_eq!(ms(limits.scaled(20).for_input(128 << 10)), 600);
    }
}
