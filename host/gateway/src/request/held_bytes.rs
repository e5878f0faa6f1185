//! The bytes that requests in progress hold while they wait for a homeserver, in one account: what the rule asked for,
//! its state, and what the gateway keeps of the request.

use crate::byte_account::{ByteAccount, Counted};
use contract::Step;
use runtime::{Limit, MAX_IN_FLIGHT_BYTES, Permit};
use share::{Bounds, Owner};

/// Bytes that an exchange takes besides those of its device and its rule.
const EXCHANGE: usize = 1 << 10;
/// Bytes of a request with the largest body of the default configuration, 128 KiB, and of what a rule makes of it.
const LARGEST: usize = 1 << 20;
/// Bytes of a text or list besides its content.
const VALUE: usize = size_of::<String>();

/// The account of all requests in progress. Bounded by [`MAX_IN_FLIGHT_BYTES`]; a host has an eighth of them, and room
/// for one of the largest requests at least. Its clones are the same account.
#[derive(Clone)]
pub(crate) struct HeldBytes(ByteAccount);

/// Why a request cannot hold so much. The device gets 5.03.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The account is full, or the host has its share of it.
    Account,
    /// The rule has its share.
    Rule(Limit),
}

/// What one request holds, given back when it is dropped.
pub(super) struct Holding {
    account: HeldBytes,
    counted: Counted,
    permit: Permit,
}

impl Default for HeldBytes {
    fn default() -> Self {
        let bounds = Bounds::of_bytes(MAX_IN_FLIGHT_BYTES).at_least(LARGEST);
        Self(ByteAccount::new(bounds))
    }
}

impl HeldBytes {
    /// The bytes of all requests in progress.
    pub(crate) fn in_all(&self) -> usize {
        self.0.in_all()
    }

    /// Whether so many more bytes of this host fit.
    pub(crate) fn has_room(&self, owner: Owner, bytes: usize) -> bool {
        self.0.has_room(owner, bytes)
    }
}

impl Holding {
    /// Of a request that holds nothing yet.
    pub(super) fn new(account: &HeldBytes, owner: Owner, permit: Permit) -> Self {
        Self {
            account: account.clone(),
            counted: account.0.count(owner, 0),
            permit,
        }
    }

    /// The request holds this many bytes from now on.
    ///
    /// # Errors
    /// [`Full`]; then it holds what it held before.
    pub(super) fn set(&mut self, bytes: usize) -> Result<(), Full> {
        let more = bytes.saturating_sub(self.counted.bytes());
        if more > 0 && !self.account.has_room(self.counted.owner(), more) {
            return Err(Full::Account);
        }
        self.permit.hold(bytes).map_err(Full::Rule)?;
        self.counted.set(bytes);
        Ok(())
    }
}

/// The bytes of an exchange whose request has `of_request` bytes of options, while it waits for this call.
pub(super) fn bytes_of(step: &Step, of_request: usize) -> usize {
    let Step { request, state } = step;
    let pair = |(one, other): &(String, String)| one.len() + other.len() + 2 * VALUE;
    let path = request.path.iter().map(|segment| segment.len() + VALUE);
    let pairs = request.query.iter().chain(&request.headers).map(pair);
    let body = request.body.as_ref().map_or(0, Vec::len);
    EXCHANGE + of_request + body + state.len() + path.chain(pairs).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use contract::{HttpRequest, Upstream};
    use runtime::{RuleAccounting, RuleLimits};

    fn holding(account: &HeldBytes, host: u64, in_flight_bytes: usize) -> Holding {
        let limits = RuleLimits {
            in_flight_bytes,
            ..RuleLimits::default()
        };
        let rule = RuleAccounting::new("rule", limits, None);
        let permit = rule
            .budget
            .admit(Instant::now(), Owner::new(host, None))
            .unwrap();
        Holding::new(account, Owner::new(host, None), permit)
    }

    #[test]
    fn all_rules_together_have_one_bound_and_what_ends_gives_back() {
        let account = HeldBytes::default();
        let share = LARGEST.max(MAX_IN_FLIGHT_BYTES / 8);
        let count = MAX_IN_FLIGHT_BYTES / share;
        let mut hosts: Vec<_> = (0..count as u64)
            .map(|host| holding(&account, host, MAX_IN_FLIGHT_BYTES))
            .collect();
        for host in &mut hosts {
            assert_eq!(host.set(share), Ok(()));
        }
        assert_eq!(account.in_all(), share * count);
        let mut other = holding(&account, 1000, MAX_IN_FLIGHT_BYTES);
        assert_eq!(other.set(share), Err(Full::Account));
        assert_eq!(hosts[0].set(10), Ok(()));
        assert_eq!(other.set(share - 10), Ok(()));
        drop((hosts, other));
        assert_eq!(account.in_all(), 0);
    }

    #[test]
    fn a_host_has_an_eighth_for_all_its_requests_and_leaves_room_for_others() {
        let account = HeldBytes::default();
        let share = LARGEST.max(MAX_IN_FLIGHT_BYTES / 8);
        let mut first = holding(&account, 1, MAX_IN_FLIGHT_BYTES);
        let mut second = holding(&account, 1, MAX_IN_FLIGHT_BYTES);
        assert_eq!(first.set(share - 10), Ok(()));
        assert_eq!(second.set(11), Err(Full::Account));
        assert_eq!(second.set(10), Ok(()));
        assert!(!account.has_room(Owner::new(1, None), 1));
        assert!(account.has_room(Owner::new(2, None), share));
    }

    #[test]
    fn a_rule_has_a_share_and_a_refusal_changes_nothing() {
        let account = HeldBytes::default();
        let mut one = holding(&account, 1, 100);
        assert_eq!(one.set(60), Ok(()));
        assert_eq!(one.set(101), Err(Full::Rule(Limit::InFlightBytes)));
        assert_eq!(account.in_all(), 60);
    }

    #[test]
    fn every_part_of_a_step_counts() {
        let step = |path: usize, query: usize, body: usize, state: usize| Step {
            request: HttpRequest {
                upstream: Upstream::Standard,
                credential: "none".into(),
                method: "GET".into(),
                path: vec!["x".repeat(path)],
                query: vec![("x".into(), "x".repeat(query))],
                headers: vec![],
                body: Some(vec![0; body]),
                hold_ms: 0,
            },
            state: vec![0; state],
        };
        let least = bytes_of(&step(0, 0, 0, 0), 0);
        assert_eq!(bytes_of(&step(1, 20, 300, 4000), 50_000), least + 54_321);
    }
}
