//! In whose name a call is made.

use super::account::Account;
use super::caller::Caller;
use super::prepared_call::PreparedCall;
use super::upstreams::Upstreams;
use contract::{CallError, Credential, Upstream};
use url::Url;

/// Whose access token a call gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The one that the device presented, or that of its session.
    Own,
    /// The one that is configured for the homeserver.
    Configured,
    /// None: the call needs none.
    None,
}

impl Upstreams {
    /// Whose access token a call of this device gets.
    ///
    /// # Errors
    /// [`CallError`]: `denied` or `no-credential`.
    pub fn authority(&self, caller: &Caller, call: &PreparedCall) -> Result<Authority, CallError> {
        let homeserver = self.reachable(call)?;
        let token = self.token(caller, &homeserver, call.credential)?;
        Ok(match token {
            None => Authority::None,
            Some(_) if caller.own_token().is_some() => Authority::Own,
            Some(_) => Authority::Configured,
        })
    }

    /// The origin of the homeserver that an upstream means for a call of this caller with a token; none if it means
    /// none.
    #[must_use]
    pub fn origin<'a>(&'a self, caller: &'a Caller, upstream: &Upstream) -> Option<&'a Url> {
        let homeserver = self.resolve(caller, upstream, Credential::Any).ok()?;
        Some(homeserver.origin())
    }

    /// The account of the token that the device presented, or of its session; none without either.
    #[must_use]
    pub fn own_account(&self, caller: &Caller) -> Option<Account> {
        let homeserver = caller
            .own_homeserver()
            .or_else(|| self.default_of(caller))?;
        caller.own_token().map(|token| Account {
            homeserver: homeserver.clone(),
            token: Some(token.clone()),
        })
    }
}
