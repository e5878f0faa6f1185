//! The device that a call is made for.

use std::sync::Arc;

use super::homeserver::Homeserver;
use super::prepared_call::PreparedCall;
use contract::secret::AccessToken;
use contract::{Credential, Peer};
use share::Owner;

/// The device that a call is made for.
#[derive(Clone)]
pub struct Caller {
    /// Its address counts for `token_peers`.
    pub peer: Peer,
    /// Whose share of the calls it uses.
    pub owner: Owner,
    /// Whether it has proven that it receives at its address: a datagram's source can be forged.
    pub is_proven: bool,
    /// The token that it presented.
    pub token: Option<AccessToken>,
    /// The login that the gateway remembers for it; none if it presented a token.
    pub session: Option<Session>,
    /// The homeserver that its Proxy-Uri names; none: that of its session, else the default one.
    pub requested: Option<Homeserver>,
}

/// A login that the gateway remembers for a device that has authenticated itself.
#[derive(Clone)]
pub struct Session {
    /// The homeserver that has issued the token. The token goes nowhere else.
    pub homeserver: Homeserver,
    /// The token.
    pub token: AccessToken,
    /// The id of the user who has logged in.
    pub user: Arc<str>,
}

impl Caller {
    /// The device's own token: the one that it presented, else that of its session.
    #[must_use]
    pub fn own_token(&self) -> Option<&AccessToken> {
        let of_session = || self.session.as_ref().map(|session| &session.token);
        self.token.as_ref().or_else(of_session)
    }

    /// The homeserver that its own token is for: that of its Proxy-Uri, else that of its session. None: the default
    /// one.
    pub(super) fn own_homeserver(&self) -> Option<&Homeserver> {
        let of_session = || self.session.as_ref().map(|session| &session.homeserver);
        self.requested.as_ref().or_else(of_session)
    }

    /// Its session, if this call is made with it.
    #[must_use]
    pub fn session_of(&self, call: &PreparedCall) -> Option<&Session> {
        let is_used = |session: &&Session| {
            call.credential != Credential::None && session.homeserver.has_origin(&call.origin)
        };
        self.session.as_ref().filter(is_used)
    }
}
