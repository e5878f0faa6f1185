//! The account of a long poll.

use contract::{Call, Credential, Upstream};
use homeserver::{Account, Caller, Upstreams};

/// The account that a long poll uses; all its observers have the same. It is found by the upstream and credential of
/// the rule's request.
pub(super) struct PollAccount {
    account: Account,
    device: Caller,
    upstream: Upstream,
    credential: Credential,
}

impl PollAccount {
    /// The account that `device` has for `call`.
    pub(super) fn new(account: Account, device: Caller, call: Call) -> Self {
        Self {
            account,
            device,
            upstream: call.upstream,
            credential: call.credential,
        }
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The device that the account was found for.
    pub(super) fn device(&self) -> &Caller {
        &self.device
    }

    /// Whether the request would still use this account.
    pub(super) fn is_served_by(&self, upstreams: &Upstreams) -> bool {
        let account = upstreams.account(&self.device, &self.upstream, self.credential);
        account.is_ok_and(|account| account.is(&self.account))
    }
}
