//! The account of a long poll.

use contract::{Call, CallError, Credential, Upstream};
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

    /// The account that another device has for the same call.
    ///
    /// # Errors
    /// [`CallError`]: `denied` or `no-credential`.
    pub(super) fn of(&self, device: &Caller, upstreams: &Upstreams) -> Result<Self, CallError> {
        let account = upstreams.account(device, &self.upstream, self.credential)?;
        Ok(Self {
            account,
            device: device.clone(),
            upstream: self.upstream.clone(),
            credential: self.credential,
        })
    }
}
