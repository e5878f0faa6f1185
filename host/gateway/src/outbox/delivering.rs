//! A delivery of an exchange: attempted at once, or stored.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::{CallError, Outcome, StoredContext};
use homeserver::{Authority, Caller, PreparedCall};
use outbox::{RecordNumber, Route, State, short_id};
use runtime::exchange::{CheckedDelivery, Delivered};
use tokio::time::{Instant, timeout};

use super::attempting;
use super::deliveries::{Deliveries, Inner};
use super::mode::OutboxMode;
use super::outcome::{is_deferred, judge};
use super::row::{Content, Header, HeaderNames, StoredToken};
use crate::request::Snapshot;
use crate::telemetry::address_lines::Notice;

/// The datagram that a delivery came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Digest of all that makes two datagrams one message (RFC 7252 §4.5).
    pub(crate) digest: [u8; 16],
    /// The lifetime of its message ID.
    pub(crate) lifetime: Duration,
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

/// All that a delivery's record needs, and its call.
struct NewDelivery {
    header: Header,
    content: Content,
    received: Received,
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
        let new = self.0.new_delivery(sending, delivery, call, authority);
        match self.0.duplicate(&new).await {
            Some(delivered) => delivered,
            None => self.0.deliver_new(sending, new, mode).await,
        }
    }
}

impl Inner {
    fn new_delivery(
        &self,
        sending: &Sending<'_>,
        delivery: &CheckedDelivery<'_>,
        call: PreparedCall,
        authority: Authority,
    ) -> NewDelivery {
        let Sending {
            caller,
            rule,
            received,
            ..
        } = sending;
        let token = match authority {
            Authority::Own => caller.token.clone(),
            Authority::Configured | Authority::None => None,
        };
        let names = HeaderNames {
            origin: call.origin().as_str().to_owned(),
            account: token.as_ref().map(|token| first_eight(token.digest())),
            lane: delivery.lane.to_owned(),
            transaction: delivery.transaction.to_owned(),
            ip: caller.peer.ip(),
            principal: principal(caller),
            at: self.clock.now(),
            attempted: false,
        };
        NewDelivery {
            header: Header::new(delivery.id, received.digest, names),
            content: Content {
                rule: (*rule).to_owned(),
                context: StoredContext::of(delivery.context),
                state: Bytes::copy_from_slice(delivery.state),
                call,
                token: token.map(StoredToken),
            },
            received: *received,
        }
    }

    /// The response to a message that was taken over before.
    async fn duplicate(&self, new: &NewDelivery) -> Option<Delivered> {
        let id = new.header.id();
        let (number, record, is_stored) = {
            let outbox = self.outbox.borrow();
            let received = (&new.received.digest, new.received.lifetime);
            let found = outbox.find(self.now(), self.clock.now(), received, id);
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

    async fn deliver_new(
        self: &Rc<Self>,
        sending: &Sending<'_>,
        mut new: NewDelivery,
        mode: OutboxMode,
    ) -> Delivered {
        let origin = self.origin(&new.header);
        let patience = sending.snapshot.outbox.patience;
        let began = self.now();
        let left = |now: Duration| patience.saturating_sub(now.saturating_sub(began));
        if mode == OutboxMode::Always {
            return self.store(&new, None).await;
        }
        let turn = timeout(patience, self.turns.take(origin.lane, origin.device)).await;
        // Also while it waited for its turn, others of its lane may have been stored.
        if turn.is_err() || self.outbox.borrow().route(&origin) == Route::Store {
            return match self.duplicate(&new).await {
                Some(delivered) => delivered,
                None => self.store(&new, None).await,
            };
        }
        let mut attempt = self.attempt(sending, &new.content.call);
        let attempted = self.now();
        match timeout(left(attempted), &mut attempt).await {
            Ok(outcome) if !is_deferred(&judge(&outcome)) => Delivered::Outcome(outcome),
            Ok(outcome) => {
                new.header.attempted = true;
                let attempt: Attempt = Box::pin(std::future::ready(outcome));
                self.store(&new, Some((attempt, attempted))).await
            }
            Err(_) => {
                new.header.attempted = true;
                self.store(&new, Some((attempt, attempted))).await
            }
        }
    }

    /// Begins the attempt: it owns all that it needs, so that it can go on after its exchange.
    fn attempt(&self, sending: &Sending<'_>, call: &PreparedCall) -> Attempt {
        let snapshot = sending.snapshot.clone();
        let (caller, call) = (sending.caller.clone(), call.clone());
        let deadline = sending.deadline;
        Box::pin(async move { snapshot.upstreams.send(&caller, &call, deadline).await })
    }

    /// Stores a delivery, whose attempt goes on in the background. If it cannot be stored, its device gets the outcome
    /// of the attempt.
    async fn store(
        self: &Rc<Self>,
        new: &NewDelivery,
        attempt: Option<(Attempt, Duration)>,
    ) -> Delivered {
        let NewDelivery {
            header, content, ..
        } = new;
        let began = attempt.as_ref().map(|(_, began)| *began);
        self.say_if_reused(header);
        match self.accept(header, content, began).await {
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
        let origin = self.origin(header);
        let name = self.names.transaction(header, &origin);
        if self.outbox.borrow().reuses_transaction(name, header.id()) {
            let now = std::time::Instant::now();
            self.lines
                .log(now, Notice::ReusedTransaction, header.ip, origin.owner);
        }
    }
}

fn principal(caller: &Caller) -> Option<String> {
    let principal = caller.peer.principal.as_deref();
    principal
        .filter(|_| caller.peer.authenticated)
        .map(str::to_owned)
}

fn first_eight(digest: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
