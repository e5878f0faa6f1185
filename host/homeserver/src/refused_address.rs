//! Devices that may not use a configured token, because there is none or because of their address.

use super::caller::Caller;
use super::credentials::is_token_peer;
use super::prepared_call::PreparedCall;
use super::upstreams::Upstreams;
use contract::Credential;

/// Why a device that presents no access token has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingToken {
    /// Its homeserver has no configured one.
    NotConfigured,
    /// `token_peers` does not have its address.
    Address,
}

impl Upstreams {
    /// Why the host has no token to attach for this device at the homeserver of its request; none if it has one, or
    /// will have when the device has proven its address.
    #[must_use]
    pub fn missing_token(&self, caller: &Caller) -> Option<MissingToken> {
        let homeserver = caller.own_homeserver().or_else(|| self.default_of(caller));
        let Some(homeserver) = homeserver.filter(|homeserver| homeserver.token().is_some()) else {
            return caller
                .own_token()
                .is_none()
                .then_some(MissingToken::NotConfigured);
        };
        let may = caller.own_token().is_some()
            || is_token_peer(&self.token_peers, &caller.peer, homeserver);
        (!may).then_some(MissingToken::Address)
    }

    /// Whether a call has no access token only because `token_peers` does not have the address of its device.
    #[must_use]
    pub fn refuses_address(&self, caller: &Caller, call: &PreparedCall) -> bool {
        let may_not = || {
            let homeserver = self.find(&call.origin);
            homeserver.is_ok_and(|homeserver| {
                homeserver.token().is_some()
                    && !is_token_peer(&self.token_peers, &caller.peer, &homeserver)
            })
        };
        call.credential == Credential::Any && caller.own_token().is_none() && may_not()
    }
}
