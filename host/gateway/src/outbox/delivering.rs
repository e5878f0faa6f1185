//! A delivery of an exchange: attempted at once, or stored.

use std::rc::Rc;
use std::time::Duration;

use contract::CallError;
use homeserver::{Authority, PreparedCall};
use outbox::{Record, RecordNumber, Route, State, short_id};
use runtime::exchange::{CheckedDelivery, Delivered};
use tokio::time::{Instant, timeout_at};

use super::attempting;
use super::deliveries::{Deliveries, Inner};
use super::first_accounts::{Claim, OtherAccount};
use super::mode::OutboxMode;
use super::new_delivery::{Attempt, NewDelivery};
use super::outcome::{Verdict, is_deferred, judge};
use super::recording::NotAccepted;
use super::row::Header;
use super::sending::Sending;
use super::turns::TurnGuard;
use crate::telemetry::address_lines::Notice;

/// An attempt at once.
struct Begun {
    /// When, on the outbox's clock.
    at: Duration,
    outcome: Attempt,
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
            let calls = &self.0.calls;
            let outcome = calls.send(snapshot, caller, &call, sending.deadline);
            return Delivered::Outcome(outcome.await);
        }
        let token = match authority {
            Authority::Own => caller.own_token(),
            Authority::Configured | Authority::None => None,
        };
        let account = token.map(|token| self.0.users.account(call.origin().as_str(), token));
        let (account, is_users) = account.unzip();
        let new = NewDelivery {
            sending,
            delivery,
            call: Rc::new(call),
            token,
            account,
            is_users: is_users.unwrap_or(false),
        };
        if let Some(delivered) = self.0.duplicate(&new).await {
            return delivered;
        }
        let claim = match self.0.claim(&new) {
            Ok(claim) => claim,
            Err(delivered) => return delivered,
        };
        let delivered = self.0.deliver_new(&new, mode).await;
        if let (Some(claim), Delivered::Outcome(outcome)) = (claim, &delivered)
            && !may_be_there(outcome)
        {
            self.0.first_accounts.refused(claim);
        }
        delivered
    }
}

/// Whether the room may have the message after this outcome of all that was tried.
fn may_be_there(outcome: &contract::Outcome) -> bool {
    let verdict = judge(outcome);
    verdict == Verdict::Sent || is_deferred(&verdict)
}

impl Inner {
    /// That the message goes to this account, and to no other while its room may have it. None for a device that has
    /// presented its token.
    ///
    /// # Errors
    /// It may have gone to another account. The device has to log in again, or to wait until that is forgotten.
    fn claim(&self, new: &NewDelivery<'_>) -> Result<Option<Claim>, Delivered> {
        let caller = new.sending.caller;
        if !caller.peer.authenticated || caller.token.is_some() {
            return Ok(None);
        }
        let (key, session) = (new.key(), caller.session_of(&new.call));
        let message = self.names.message(&key, &new.call);
        let account = self.names.chosen_account(&key, session);
        let owner = self.origin(&key).owner;
        let claimed = self
            .first_accounts
            .claim(self.now(), message, account, owner);
        let reason = if session.is_some() {
            "busy"
        } else {
            "no-credential"
        };
        claimed
            .map(Some)
            .map_err(|OtherAccount| Delivered::Outcome(Err(CallError::unsent(reason))))
    }

    /// The response to a message that was taken over before.
    async fn duplicate(&self, new: &NewDelivery<'_>) -> Option<Delivered> {
        let (number, record, is_stored) = self.find(new)?;
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

    /// Its record, and whether that is stored.
    fn find(&self, new: &NewDelivery<'_>) -> Option<(RecordNumber, Record, bool)> {
        let outbox = self.outbox.borrow();
        if outbox.is_empty() {
            return None;
        }
        let received = new.sending.received;
        let received = (&received.digest, received.lifetime);
        let found = outbox.find(self.now(), self.clock.now(), received, new.delivery.id);
        found.map(|(number, record)| (number, *record, outbox.is_stored(number)))
    }

    async fn deliver_new(self: &Rc<Self>, new: &NewDelivery<'_>, mode: OutboxMode) -> Delivered {
        if mode == OutboxMode::Always {
            return self.store(new, None, None).await;
        }
        let origin = self.origin(&new.key());
        self.token_comes(new, &origin);
        let patience = new.sending.snapshot.outbox.patience;
        let patience_ends = Instant::now() + patience;
        // No longer than the patience, unless nothing more can be stored: those before it came before.
        let turn = self.turns.take(origin.lane, origin.device());
        let Ok(turn) = timeout_at(new.sending.deadline, turn).await else {
            return Delivered::Outcome(Err(CallError::unsent("busy")));
        };
        // While it waited for its turn, others of its lane may have been stored.
        let is_late = Instant::now() >= patience_ends;
        if is_late || self.outbox.borrow().route(&origin) == Route::Store {
            return self.store(new, None, Some(turn)).await;
        }
        let at = self.now();
        let id = new.delivery.id;
        self.recent_attempts.note(at, id, origin.owner);
        let mut attempt = new.attempt(&self.calls);
        let outcome: Attempt = match timeout_at(patience_ends, &mut attempt).await {
            Ok(outcome) => match judge(&outcome) {
                verdict if is_deferred(&verdict) => Box::pin(std::future::ready(outcome)),
                _ => {
                    if outcome.is_ok() {
                        self.outbox
                            .borrow_mut()
                            .responded(self.now(), origin.server);
                    }
                    return Delivered::Outcome(outcome);
                }
            },
            Err(_) => attempt,
        };
        let begun = Some(Begun { at, outcome });
        self.store(new, begun, Some(turn)).await
    }

    /// Stores a delivery, whose attempt goes on in the background. If it cannot be stored, its device gets the outcome
    /// of the attempt.
    async fn store(
        self: &Rc<Self>,
        new: &NewDelivery<'_>,
        attempt: Option<Begun>,
        mut turn: Option<TurnGuard>,
    ) -> Delivered {
        // Another datagram of the message may have been stored meanwhile: that one is attempted.
        if let Some((number, ..)) = self.find(new) {
            if attempt.is_some() {
                let now = self.now();
                self.outbox.borrow_mut().attempted_again(now, number);
            }
            drop(turn);
            let delivered = self.duplicate(new).await;
            return delivered.unwrap_or(Delivered::Outcome(Err(CallError::unsent("busy"))));
        }
        let began = attempt.as_ref().map(|begun| begun.at);
        let is_repeated = || {
            let recent = &self.recent_attempts;
            new.sending.received.is_repeated || recent.may_have(self.now(), new.delivery.id)
        };
        let header = new.header(self.clock.now(), began.is_some() || is_repeated());
        self.say_if_reused(&header);
        let content = new.content();
        let accepted = self.accept(&header, &content, began, &mut turn);
        match accepted.await {
            Ok(number) => {
                self.token_waits(new);
                if let Some(begun) = attempt {
                    self.go_on(number, begun.outcome);
                }
                Delivered::Accepted(short_id(header.id()))
            }
            Err(why) => {
                let outcome = match attempt {
                    Some(begun) => begun.outcome.await,
                    None => Err(CallError::unsent("busy")),
                };
                // Now, no sooner: the next message of its device must not be sent before it.
                if let NotAccepted::Disk(place) = why {
                    drop(place);
                }
                drop(turn);
                Delivered::Outcome(outcome)
            }
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
