//! Devices that may not use a configured token because of their address.

use super::caller::Caller;
use super::credentials::is_token_peer;
use super::prepared_call::PreparedCall;
use super::upstreams::Upstreams;
use contract::Credential;

impl Upstreams {
    /// Whether a call has no access token only because `token_peers` does not have the address of its device.
    #[must_use]
    pub fn refuses_address(&self, caller: &Caller, call: &PreparedCall) -> bool {
        let has_token = || {
            let homeserver = self.find(&call.origin);
            homeserver.is_ok_and(|homeserver| homeserver.token().is_some())
        };
        call.credential == Credential::Any
            && caller.token.is_none()
            && !is_token_peer(&self.token_peers, &caller.peer)
            && has_token()
    }
}
