//! Whether a revision fails on half of its requests or more, and not only on one host's inputs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::call_input::{CallEnd, CallInput, FailedCall, grows_with_input};
use super::failed_calls::FailedCalls;
use super::input_sizes::InputSizes;
use super::network::Network;
use contract::Peer;

/// Calls that are judged together. If half of them fail, the revision does not work.
const WINDOW: u32 = 100;
/// Networks with a failed call: one host's input must not put a rule out of service for all.
const NETWORKS: usize = 8;
/// Calls of one network that count in a window: no more than an eighth of it, rounded up.
const OF_NETWORK: u32 = WINDOW.div_ceil(NETWORKS as u32);
/// Few networks never fill a window: after this time, and ten times its calls, the next one begins. A flood alone ends
/// none, so that one host adds few calls a minute.
const OLD: Duration = Duration::from_secs(60);
/// All devices may be in one network. Then a revision fails if it has had no result for anybody for this long: a device
/// that reports every few minutes shows that it works.
const WITHOUT_RESULT: Duration = Duration::from_secs(600);
/// Addresses whose calls failed in that time.
const ADDRESSES: usize = 8;

/// The latest calls of a revision.
#[derive(Default)]
pub(super) struct Health(Mutex<State>);

/// A revision fails.
pub(super) struct Failing {
    /// No call that counts had a result.
    pub(super) nothing_works: bool,
    /// The inputs of some of the failed calls.
    pub(super) calls: Vec<FailedCall>,
}

#[derive(Default)]
struct State {
    window: Window,
    without_result: Option<WithoutResult>,
    sizes: [InputSizes; CallInput::KINDS],
    failed: FailedCalls,
}

#[derive(Default)]
struct Window {
    began: Option<Instant>,
    /// All calls, and those of them that count.
    all: u32,
    calls: u32,
    failed: u32,
    /// At most twice [`WINDOW`] of them.
    networks: HashMap<Network, OfNetwork>,
}

/// The calls of one network.
#[derive(Default)]
struct OfNetwork {
    /// The calls that count, and those of them that failed.
    calls: u32,
    failed: u32,
    /// Calls that say nothing yet; at most as many, for their sizes.
    continued: u32,
}

/// The time since the last call with a result.
struct WithoutResult {
    since: Instant,
    calls: u32,
    /// The first addresses with a failed call.
    addresses: Vec<IpAddr>,
}

impl Health {
    /// Counts a call for a device. The revision fails if half or more of 100 calls did, for at least 8 networks; or if
    /// none had a result for ten minutes. Then counting starts from zero.
    pub(super) fn record(
        &self,
        now: Instant,
        peer: &Peer,
        input: &CallInput<'_>,
        end: CallEnd<'_>,
    ) -> Option<Failing> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let sizes = &mut state.sizes[input.kind()];
        // The sender has chosen an input that is larger than most. That it takes more time and memory than the rule
        // has is no fault of the rule.
        if let CallEnd::Trapped(trap) = end
            && grows_with_input(trap)
            && sizes.is_above_median(input.bytes())
        {
            return None;
        }
        let network = Network::of(peer);
        if state.window.count(now, network, end) {
            sizes.record(input.bytes());
        }
        match end {
            CallEnd::Continues => return None,
            CallEnd::Result => state.without_result = None,
            CallEnd::Trapped(_) => {
                let without = state.without_result.get_or_insert_with(|| WithoutResult {
                    since: now,
                    calls: 0,
                    addresses: Vec::new(),
                });
                without.add(peer.ip());
                state.failed.keep(network, input);
            }
        }
        let is_failing = state.window.is_failing();
        let nothing_works = state.window.nothing_works();
        let without = state.without_result.as_ref();
        let without_result = without.is_some_and(|without| without.is_failing(now));
        if state.window.is_over(now) {
            state.window = Window::default();
            if !is_failing && state.without_result.is_none() {
                state.failed.clear();
            }
        }
        if !is_failing && !without_result {
            return None;
        }
        state.window = Window::default();
        state.without_result = None;
        Some(Failing {
            nothing_works: nothing_works || without_result,
            calls: state.failed.take(),
        })
    }
}

impl Window {
    /// Counts a call; false if its network has had its share already.
    fn count(&mut self, now: Instant, network: Network, end: CallEnd<'_>) -> bool {
        self.began.get_or_insert(now);
        self.all = self.all.saturating_add(1);
        let continues = matches!(end, CallEnd::Continues);
        let is_bounded = self.networks.len() < WINDOW as usize;
        if continues && !is_bounded && !self.networks.contains_key(&network) {
            return false;
        }
        let of_network = self.networks.entry(network).or_default();
        let counted = match continues {
            true => &mut of_network.continued,
            false => &mut of_network.calls,
        };
        if *counted >= OF_NETWORK {
            return false;
        }
        *counted += 1;
        if !continues {
            let failed = u32::from(matches!(end, CallEnd::Trapped(_)));
            of_network.failed += failed;
            self.calls += 1;
            self.failed += failed;
        }
        true
    }

    fn is_full(&self) -> bool {
        self.calls >= WINDOW
    }

    /// Whether the next window begins. Old calls must not count for ever, also if few networks never fill a window.
    fn is_over(&self, now: Instant) -> bool {
        let is_old = || {
            let began = self.began.unwrap_or(now);
            now.saturating_duration_since(began) >= OLD
        };
        self.is_full() || (self.all >= 10 * WINDOW && is_old())
    }

    fn is_failing(&self) -> bool {
        let failing = || self.networks.values().filter(|one| one.failed > 0);
        self.is_full() && self.failed * 2 >= self.calls && failing().count() >= NETWORKS
    }

    fn nothing_works(&self) -> bool {
        self.failed == self.calls
    }
}

impl WithoutResult {
    fn add(&mut self, address: IpAddr) {
        self.calls = self.calls.saturating_add(1);
        if self.addresses.len() < ADDRESSES && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    fn is_failing(&self, now: Instant) -> bool {
        let time = now.saturating_duration_since(self.since);
        time >= WITHOUT_RESULT && self.calls >= WINDOW && self.addresses.len() >= ADDRESSES
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
