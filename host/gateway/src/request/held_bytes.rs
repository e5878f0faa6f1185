//! The bytes that requests in progress hold while they wait for a homeserver, in one account: what the rule asked for,
//! its state, and what the gateway keeps of the request.

use crate::byte_account::{ByteAccount, Counted};
use contract::Step;
use runtime::{Limit, MAX_IN_FLIGHT_BYTES, Permit};

/// Bytes that an exchange takes besides those of its device and its rule.
const EXCHANGE: usize = 1 << 10;
/// Bytes of a text or list besides its content.
const VALUE: usize = size_of::<String>();

/// The account of all requests in progress. Bounded by [`MAX_IN_FLIGHT_BYTES`].
#[derive(Clone, Default)]
pub(crate) struct HeldBytes(ByteAccount);

/// Why a request cannot hold so much. The device gets 5.03.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The account is full.
    InAll,
    /// The rule has its share.
    Rule(Limit),
}

/// What one request holds, given back when it is dropped.
pub(super) struct Holding {
    account: HeldBytes,
    counted: Counted,
    permit: Permit,
}

impl HeldBytes {
    /// The bytes of all requests in progress.
    pub(crate) fn in_all(&self) -> usize {
        self.0.in_all()
    }

    /// Whether so many more bytes fit.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.in_all().saturating_add(bytes) <= MAX_IN_FLIGHT_BYTES
    }
}

impl Holding {
    /// Of a request that holds nothing yet.
    pub(super) fn new(account: &HeldBytes, permit: Permit) -> Self {
        Self {
            account: account.clone(),
            counted: account.0.count(0),
            permit,
        }
    }

    /// The request holds this many bytes from now on.
    ///
    /// # Errors
    /// [`Full`]; then it holds what it held before.
    pub(super) fn set(&mut self, bytes: usize) -> Result<(), Full> {
        let more = bytes.saturating_sub(self.counted.bytes());
        if more > 0 && !self.account.has_room(more) {
            return Err(Full::InAll);
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

    fn holding(account: &HeldBytes, in_flight_bytes: usize) -> Holding {
        let limits = RuleLimits {
            in_flight_bytes,
            ..RuleLimits::default()
        };
        let rule = RuleAccounting::new("rule", limits, None);
        Holding::new(account, rule.budget.admit(Instant::now()).unwrap())
    }

    #[test]
    fn all_rules_together_have_one_bound_and_what_ends_gives_back() {
        let account = HeldBytes::default();
        let half = MAX_IN_FLIGHT_BYTES / 2;
        let mut first = holding(&account, MAX_IN_FLIGHT_BYTES);
        let mut second = holding(&account, MAX_IN_FLIGHT_BYTES);
        assert_eq!((first.set(half), second.set(half)), (Ok(()), Ok(())));
        assert_eq!(first.set(half + 1), Err(Full::InAll));
        assert_eq!(second.set(10), Ok(()));
        assert_eq!(first.set(half + 1), Ok(()));
        assert_eq!(account.in_all(), half + 11);
        assert!(account.has_room(half - 11) && !account.has_room(half - 10));
        drop((first, second));
        assert_eq!(account.in_all(), 0);
    }

    #[test]
    fn a_rule_has_a_share_and_a_refusal_changes_nothing() {
        let account = HeldBytes::default();
        let mut one = holding(&account, 100);
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
