//! A user has got another access token: the messages that wait for one go on.

use contract::Outcome;
use contract::secret::AccessToken;
use homeserver::{Caller, Login, PreparedCall, refuses_token};
use outbox::Origin;

use super::deliveries::{Deliveries, Inner};
use super::key::Key;
use super::new_delivery::NewDelivery;
use super::row::Header;

impl Deliveries {
    /// A device has logged in: `login` is what the homeserver of `call` gave it.
    pub(crate) async fn logged_in(&self, caller: &Caller, call: &PreparedCall, login: &Login) {
        let inner = &self.0;
        let (origin, unix) = (call.origin().as_str(), inner.clock.now());
        let user = (origin, login.user.as_str());
        let Some((account, batch)) = inner.users.add(user, &login.token, caller.owner, unix) else {
            return;
        };
        let key = Key {
            origin,
            account: Some(account),
            lane: "",
            transaction: "",
            ip: caller.peer.ip(),
            principal: None,
            is_proven: false,
        };
        inner.renew(inner.origin(&key).account, &login.token);
        // If the disk does not take it, messages of this token wait for this one after the next start.
        let _ = inner.commit_unsynced(batch).await;
    }
}

impl Inner {
    /// A delivery comes with a token of an account whose last one was refused. After a restart this is the first that
    /// the gateway hears of it.
    pub(super) fn token_comes(&self, new: &NewDelivery<'_>, origin: &Origin) {
        if self.outbox.borrow().needs_token(origin.account)
            && let Some(token) = new.token_of_user()
        {
            self.renew(origin.account, token);
        }
    }

    /// A delivery waits with this token: an earlier one of its user may be refused later, or was while it was stored.
    pub(super) fn token_waits(&self, new: &NewDelivery<'_>) {
        let Some(token) = new.token_of_user() else {
            return;
        };
        let account = self.origin(&new.key()).account;
        if self.outbox.borrow().needs_token(account) {
            self.renew(account, token);
        } else {
            self.newer_tokens.note(account, token, false);
        }
    }

    /// The homeserver has refused the token of a delivery: its account waits for another one, which is said, unless
    /// there is one already.
    pub(super) fn token_refused(
        &self,
        header: &Header,
        token: Option<&AccessToken>,
        outcome: &Outcome,
    ) {
        let account = self.origin(&header.key()).account;
        if let Some(token) = token {
            self.use_session(header, account, token, outcome);
        }
        if token.is_some_and(|token| self.newer_tokens.refused(account, token)) {
            self.outbox.borrow_mut().token_renewed(account);
            self.changed.notify_one();
        } else {
            self.warn_of_token(header, outcome);
        }
    }

    /// The homeserver has refused this token of a device with a session. If it is that of the session, the device has
    /// to log in again. If the device has done so, and the gateway was started again since then, its session has the
    /// token to go on with.
    fn use_session(&self, header: &Header, account: u64, token: &AccessToken, outcome: &Outcome) {
        let origin = header.origin.as_str();
        let Some(principal) = header.principal.as_deref() else {
            return;
        };
        let Some(other) = self.sessions.token(principal, origin) else {
            return;
        };
        if !other.is(token) {
            let (user, is_users) = self.users.account(origin, &other);
            if is_users && header.account == Some(user) {
                self.newer_tokens.note_first(account, &other);
            }
        } else if refuses_token(outcome) {
            self.sessions.refused(principal, origin, token);
        }
    }

    /// Messages of this account are sent with this token from now on.
    fn renew(&self, account: u64, token: &AccessToken) {
        if self.newer_tokens.is_last(account, token) || !self.outbox.borrow().has_account(account) {
            return;
        }
        let is_used = self.outbox.borrow().needs_token(account);
        self.newer_tokens.note(account, token, is_used);
        self.outbox.borrow_mut().token_renewed(account);
        self.changed.notify_one();
    }
}
