//! A delivery of an exchange, before it has a record.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use contract::secret::AccessToken;
use contract::{Outcome, StoredContext};
use homeserver::{Caller, PreparedCall};
use runtime::exchange::CheckedDelivery;

use super::calls::Calls;
use super::key::Key;
use super::row::{Content, Header};
use super::sending::Sending;
use crate::stored_token::StoredToken;

/// An attempt that has begun.
pub(super) type Attempt = Pin<Box<dyn Future<Output = Outcome>>>;

/// A delivery that has no record yet: most have none ever.
pub(super) struct NewDelivery<'a> {
    pub(super) sending: &'a Sending<'a>,
    pub(super) delivery: &'a CheckedDelivery<'a>,
    pub(super) call: Rc<PreparedCall>,
    /// The access token that the device presented, if the call gets that.
    pub(super) token: Option<&'a AccessToken>,
    pub(super) account: Option<u64>,
    /// Whether the account is that of a user, who can have other tokens.
    pub(super) is_users: bool,
}

impl NewDelivery<'_> {
    pub(super) fn key(&self) -> Key<'_> {
        let peer = &self.sending.caller.peer;
        let principal = peer.principal.as_deref();
        Key {
            origin: self.call.origin().as_str(),
            account: self.account,
            lane: self.delivery.lane,
            transaction: self.delivery.transaction,
            ip: peer.ip(),
            principal: principal.filter(|_| peer.authenticated),
            is_proven: self.sending.caller.is_proven || peer.authenticated,
        }
    }

    /// The token, if its user is known.
    pub(super) fn token_of_user(&self) -> Option<&AccessToken> {
        self.token.filter(|_| self.is_users)
    }

    pub(super) fn header(&self, at: Option<u64>, attempted: bool) -> Header {
        let digest = self.sending.received.digest;
        Header::new(self.delivery.id, digest, &self.key(), at, attempted)
    }

    pub(super) fn content(&self) -> Content {
        Content {
            rule: self.sending.rule.to_owned(),
            context: StoredContext::of(self.delivery.context),
            state: Bytes::copy_from_slice(self.delivery.state),
            call: PreparedCall::clone(&self.call),
            token: self.token.cloned().map(StoredToken),
        }
    }

    /// Begins the attempt: it owns all that it needs, so that it can go on after its exchange.
    pub(super) fn attempt(&self, calls: &Calls) -> Attempt {
        let Sending {
            snapshot,
            caller,
            deadline,
            ..
        } = self.sending;
        let snapshot = Arc::clone(snapshot);
        let (caller, call) = (Caller::clone(caller), self.call.clone());
        let (calls, deadline) = (calls.clone(), *deadline);
        Box::pin(async move { calls.send(&snapshot, &caller, &call, deadline).await })
    }
}

/// Part of the digest of an access token.
pub(super) fn first_eight(digest: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
