//! The session of the device of one exchange: begun by a login that the exchange makes, ended by a logout or a refusal.

use contract::Outcome;
use contract::secret::AccessToken;
use homeserver::{Caller, Login, PreparedCall, Session, refuses_token};
use url::Url;

use crate::sessions::{Moment, Sessions};

/// What an exchange has to do with sessions. Its device has authenticated itself.
pub(super) struct DeviceSession {
    sessions: Sessions,
    /// When the request came.
    since: Moment,
    /// The last login of the exchange, and the homeserver that has issued the token.
    login: Option<(Url, Login)>,
}

impl DeviceSession {
    pub(super) fn new(sessions: &Sessions) -> Self {
        Self {
            sessions: sessions.clone(),
            since: sessions.now(),
            login: None,
        }
    }

    /// The outcome of a call: it can be a login.
    pub(super) fn note(&mut self, caller: &Caller, call: &PreparedCall, outcome: &Outcome) {
        if let Some(session) = caller.session_of(call) {
            self.refuse(caller, session, outcome);
        }
        if let Some(login) = call.login(outcome) {
            self.login = Some((call.origin().clone(), login));
        }
    }

    /// The outcome of a call with the device's session: a token that the homeserver refuses ends it.
    pub(super) fn refuse(&self, caller: &Caller, session: &Session, outcome: &Outcome) {
        if refuses_token(outcome) {
            self.sessions.refuse(&caller.peer, session);
        }
    }

    /// The rule says that the device has logged in with this token. It must be one that a homeserver has given out in
    /// this exchange, so a rule can neither make up a token nor move one to another homeserver; and it may log in only
    /// where its operator grants it that call.
    ///
    /// # Errors
    /// [`NoSuchLogin`]; no session begins.
    pub(super) async fn open(&self, caller: &Caller, token: &str) -> Result<(), NoSuchLogin> {
        let token = AccessToken::parse(token.as_bytes()).map_err(|_| NoSuchLogin)?;
        let is_issued = |(_, login): &&(Url, Login)| login.token.is(&token);
        let (origin, login) = self.login.as_ref().filter(is_issued).ok_or(NoSuchLogin)?;
        if let Some(stored) = self.sessions.open(&caller.peer, self.since, origin, login) {
            stored.await;
        }
        Ok(())
    }

    /// The device has logged out, with the token of its session or with the same one.
    pub(super) fn close(&self, caller: &Caller, origin: &str) {
        if let Some(token) = caller.own_token() {
            self.sessions.close(&caller.peer, origin, token);
        }
    }
}

/// A rule has opened a session with a token that no homeserver has given out in its exchange.
pub(super) struct NoSuchLogin;
