//! A delivery of an exchange: attempted at once, or stored.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::secret::AccessToken;
use contract::{CallError, Outcome, StoredContext};
use homeserver::{Authority, Caller, PreparedCall};
use outbox::{Origin, RecordNumber, Route, State, short_id};
use runtime::exchange::{CheckedDelivery, Delivered};
use tokio::time::{Instant, timeout_at};

use super::attempting;
use super::deliveries::{Deliveries, Inner};
use super::key::Key;
use super::mode::OutboxMode;
use super::outcome::{Verdict, is_deferred, judge};
use super::row::{Content, Header, StoredToken};
use crate::request::Snapshot;
use crate::telemetry::address_lines::Notice;

/// The datagram that a delivery came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Digest of all that makes two datagrams one message (RFC 7252 §4.5).
    pub(crate) digest: [u8; 16],
    /// The lifetime of its message ID.
    pub(crate) lifetime: Duration,
    /// Whether the same one has made the homeserver act before: then this gateway, or the one before a restart, may have
    /// attempted its delivery.
    pub(crate) is_repeated: bool,
}

/// The exchange of a delivery.
pub(crate) struct Sending<'a> {
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) caller: &'a Caller,
    pub(crate) rule: &'a str,
    pub(crate) received: Received,
    /// Of the exchange.
    pub(crate) deadline: Instant,
}

/// An attempt that has begun.
type Attempt = Pin<Box<dyn Future<Output = Outcome>>>;

/// A delivery that has no record yet: most have none ever.
struct NewDelivery<'a> {
    sending: &'a Sending<'a>,
    delivery: &'a CheckedDelivery<'a>,
    call: Rc<PreparedCall>,
    /// The access token that the device presented, if the call gets that.
    token: Option<&'a AccessToken>,
    account: Option<u64>,
}

impl Deliveries {
    /// Makes a delivery, or stores it. `call` is the delivery's, with its homeserver.
    pub(crate) async fn deliver(
        &self,
        sending: &Sending<'_>,
        delivery: &CheckedDelivery<'_>,
        call: PreparedCall,
    ) -> Delivered {
        let Sending {
            snapshot, caller, ..
        } = *sending;
        let mode = snapshot.outbox.mode_of(caller.peer.ip(), sending.rule);
        let authority = match snapshot.upstreams.authority(caller, &call) {
            Ok(authority) => authority,
            Err(error) => return Delivered::Outcome(Err(error)),
        };
        if mode == OutboxMode::Off || !delivery.can_wait {
            let outcome = snapshot.upstreams.send(caller, &call, sending.deadline);
            return Delivered::Outcome(outcome.await);
        }
        let token = match authority {
            Authority::Own => caller.token.as_ref(),
            Authority::Configured | Authority::None => None,
        };
        let new = NewDelivery {
            sending,
            delivery,
            call: Rc::new(call),
            token,
            account: token.map(|token| first_eight(token.digest())),
        };
        match self.0.duplicate(&new).await {
            Some(delivered) => delivered,
            None => self.0.deliver_new(&new, mode).await,
        }
    }
}

impl NewDelivery<'_> {
    fn key(&self) -> Key<'_> {
        let peer = &self.sending.caller.peer;
        let principal = peer.principal.as_deref();
        Key {
            origin: self.call.origin().as_str(),
            account: self.account,
            lane: self.delivery.lane,
            transaction: self.delivery.transaction,
            ip: peer.ip(),
            principal: principal.filter(|_| peer.authenticated),
        }
    }

    fn header(&self, at: Option<u64>, attempted: bool) -> Header {
        let digest = self.sending.received.digest;
        Header::new(self.delivery.id, digest, &self.key(), at, attempted)
    }

    fn content(&self) -> Content {
        Content {
            rule: self.sending.rule.to_owned(),
            context: StoredContext::of(self.delivery.context),
            state: Bytes::copy_from_slice(self.delivery.state),
            call: PreparedCall::clone(&self.call),
            token: self.token.cloned().map(StoredToken),
        }
    }

    /// Begins the attempt: it owns all that it needs, so that it can go on after its exchange.
    fn attempt(&self) -> Attempt {
        let Sending {
            snapshot,
            caller,
            deadline,
            ..
        } = self.sending;
        let snapshot = Arc::clone(snapshot);
        let (caller, call) = (Caller::clone(caller), self.call.clone());
        let deadline = *deadline;
        Box::pin(async move { snapshot.upstreams.send(&caller, &call, deadline).await })
    }
}

impl Inner {
    /// The response to a message that was taken over before.
    async fn duplicate(&self, new: &NewDelivery<'_>) -> Option<Delivered> {
        let received = new.sending.received;
        let (number, record, is_stored) = {
            let outbox = self.outbox.borrow();
            if outbox.is_empty() {
                return None;
            }
            let received = (&received.digest, received.lifetime);
            let found = outbox.find(self.now(), self.clock.now(), received, new.delivery.id);
            found.map(|(number, record)| (number, *record, outbox.is_stored(number)))
        }?;
        if !is_stored {
            // Its first datagram is about to be stored, or refused: the device asks again.
            return Some(Delivered::Outcome(Err(CallError::unsent("busy"))));
        }
        if record.state == State::Failed && self.revive(&[number]).await.count == 0 {
            return Some(Delivered::Outcome(Err(CallError::unsent("busy"))));
        }
        self.counters.duplicates.add();
        Some(Delivered::Accepted(short_id(record.id)))
    }

    async fn deliver_new(self: &Rc<Self>, new: &NewDelivery<'_>, mode: OutboxMode) -> Delivered {
        if mode == OutboxMode::Always {
            return self.store(new, None).await;
        }
        let origin = self.origin(&new.key());
        let patience = new.sending.snapshot.outbox.patience;
        let patience_ends = Instant::now() + patience;
        let turn = self.turns.take(origin.lane, origin.device);
        let turn = timeout_at(patience_ends, turn).await;
        // Also while it waited for its turn, others of its lane may have been stored.
        if turn.is_err() || self.outbox.borrow().route(&origin) == Route::Store {
            return match self.duplicate(new).await {
                Some(delivered) => delivered,
                None => self.store(new, None).await,
            };
        }
        let began = self.now();
        let mut attempt = new.attempt();
        match timeout_at(patience_ends, &mut attempt).await {
            Ok(outcome) => match judge(&outcome) {
                verdict if is_deferred(&verdict) => {
                    let ended: Attempt = Box::pin(std::future::ready(outcome));
                    self.store(new, Some((ended, began))).await
                }
                verdict => {
                    if verdict == Verdict::Sent {
                        self.token_works(new, &origin);
                    }
                    Delivered::Outcome(outcome)
                }
            },
            Err(_) => self.store(new, Some((attempt, began))).await,
        }
    }

    /// The device's token is valid. Its older messages may wait for one: they go on with it. An address alone can be
    /// forged, and the messages would be sent in another one's name.
    fn token_works(&self, new: &NewDelivery<'_>, origin: &Origin) {
        let caller = new.sending.caller;
        let is_known = caller.is_proven || caller.peer.authenticated;
        if let Some(token) = new.token.filter(|_| is_known)
            && self
                .outbox
                .borrow_mut()
                .token_renewed(origin.device, origin.server)
        {
            self.newer_tokens
                .set(origin.device, origin.server, token.clone());
            self.changed.notify_one();
        }
    }

    /// Stores a delivery, whose attempt goes on in the background. If it cannot be stored, its device gets the outcome
    /// of the attempt.
    async fn store(
        self: &Rc<Self>,
        new: &NewDelivery<'_>,
        attempt: Option<(Attempt, Duration)>,
    ) -> Delivered {
        let began = attempt.as_ref().map(|(_, began)| *began);
        let attempted = began.is_some() || new.sending.received.is_repeated;
        let header = new.header(self.clock.now(), attempted);
        self.say_if_reused(&header);
        match self.accept(&header, &new.content(), began).await {
            Ok(number) => {
                if let Some((attempt, _)) = attempt {
                    self.go_on(number, attempt);
                }
                Delivered::Accepted(short_id(header.id()))
            }
            Err(_) => Delivered::Outcome(match attempt {
                Some((attempt, _)) => attempt.await,
                None => Err(CallError::unsent("busy")),
            }),
        }
    }

    fn go_on(self: &Rc<Self>, number: RecordNumber, attempt: Attempt) {
        let inner = self.clone();
        self.background.borrow_mut().push(Box::pin(async move {
            let outcome = attempt.await;
            attempting::concluded(&inner, number, outcome).await;
        }));
        self.changed.notify_one();
    }

    /// A device whose counter has begun again hears nothing of it: its operator does, once.
    fn say_if_reused(&self, header: &Header) {
        let key = header.key();
        let origin = self.origin(&key);
        let name = self.names.transaction(&key, &origin);
        if self.outbox.borrow().reuses_transaction(name, header.id()) {
            let now = std::time::Instant::now();
            self.lines
                .log(now, Notice::ReusedTransaction, header.ip, origin.owner);
        }
    }
}

fn first_eight(digest: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
