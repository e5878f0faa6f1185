//! A feed: one device's observation with a long poll of its own, whose position moves with the device's
//! acknowledgements (`wit/feed.wit`).

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::backoff::pause;
use super::limits::{MAX_UNREADABLE, MIN_POLL_INTERVAL};
use super::notification::Notification;
use super::poll_account::PollAccount;
use crate::byte_account::Counted;
use crate::request::ObserveRequest;
use contract::Context;
use homeserver::Caller;
use runtime::Revision;

/// What a feed waits for.
enum Phase {
    /// The device has not acknowledged the first response, or the last message. The state after it.
    Sent(Vec<u8>),
    /// The time of the next poll.
    Due,
    /// The response to the poll. Dropping it cancels the call.
    Polling { _cancel: oneshot::Sender<()> },
    /// Its turn to send this message; the state after it.
    Ready(Notification, Vec<u8>),
}

pub(super) struct Feed {
    revision: Arc<Revision>,
    account: Rc<PollAccount>,
    context: Context,
    device: Caller,
    /// The Uri-Path of its request.
    path: Vec<String>,
    /// The position that the device has acknowledged.
    state: Vec<u8>,
    phase: Phase,
    called_at: Instant,
    failures: u32,
    /// Consecutive responses that gave no message that could be sent.
    unreadable: u32,
    /// When the device has got nothing for so long that it must be asked whether it is still there.
    refresh_at: Instant,
    /// Whether the state can be one of a former revision.
    is_taken_over: bool,
    /// Bytes of the observation without its states.
    bytes: usize,
    counted: Counted,
}

impl Feed {
    /// The feed that `request` begins; its first response is on its way.
    pub(super) fn new(
        now: Instant,
        request: ObserveRequest,
        account: PollAccount,
        refresh_at: Instant,
        counted: Counted,
    ) -> Self {
        let state = request.watch.state;
        Self {
            revision: request.revision,
            account: Rc::new(account),
            context: request.context,
            device: request.device,
            path: request.path,
            bytes: counted.bytes() - state.len(),
            phase: Phase::Sent(state.clone()),
            state,
            called_at: now - MIN_POLL_INTERVAL,
            failures: 0,
            unreadable: 0,
            refresh_at,
            is_taken_over: false,
            counted,
        }
    }

    pub(super) fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    pub(super) fn account(&self) -> &Rc<PollAccount> {
        &self.account
    }

    /// The same account from another configuration.
    pub(super) fn set_account(&mut self, account: PollAccount) {
        self.account = Rc::new(account);
    }

    pub(super) fn device(&self) -> &Caller {
        &self.device
    }

    pub(super) fn state(&self) -> &[u8] {
        &self.state
    }

    /// The segments of the Uri-Path that it observes.
    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Bytes of the observation.
    pub(super) fn counted_bytes(&self) -> usize {
        self.counted.bytes()
    }

    /// The context of a call now. `refresh`: it asks for a message.
    pub(super) fn context(&self, unix: Option<u64>, refresh: bool) -> Context {
        let mut context = self.context.clone();
        context.now = unix;
        if refresh {
            context.facts.push(("refresh".to_owned(), String::new()));
        }
        context
    }

    /// Whether the device must get a message.
    pub(super) fn needs_refresh(&self, now: Instant) -> bool {
        self.refresh_at <= now
    }

    /// Another revision polls from now on, with the link and captures that it has for the path.
    pub(super) fn take_over(&mut self, revision: Arc<Revision>, link: u16, captures: Vec<String>) {
        self.revision = revision;
        self.context.link = link;
        self.context.captures = captures;
        self.is_taken_over = true;
    }

    pub(super) fn is_taken_over(&self) -> bool {
        self.is_taken_over
    }

    /// Whether it waits for its homeserver, or for its next poll: nothing is on its way to the device.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Due | Phase::Polling { .. })
    }

    /// Drops a call in flight: the next poll begins from the same state.
    pub(super) fn set_due(&mut self) {
        self.phase = Phase::Due;
    }

    /// Starts a call.
    pub(super) fn start_call(&mut self, now: Instant) -> oneshot::Receiver<()> {
        let (cancel, cancelled) = oneshot::channel();
        self.phase = Phase::Polling { _cancel: cancel };
        self.called_at = now;
        self.is_taken_over = false;
        cancelled
    }

    /// The earliest time of the next call.
    pub(super) fn next_call(&self, now: Instant) -> Instant {
        now.max(self.called_at + MIN_POLL_INTERVAL)
    }

    /// The call failed; returns the pause before the next one. `requested`: the seconds that the rule requests.
    pub(super) fn on_failure(&mut self, requested: Option<u32>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Due;
        pause(self.failures, requested)
    }

    /// The response gave no message that could be sent. Returns the pause before the next call, or none if that came
    /// too often.
    pub(super) fn on_unreadable(&mut self) -> Option<Duration> {
        self.unreadable += 1;
        let pause = self.on_failure(None);
        (self.unreadable < MAX_UNREADABLE).then_some(pause)
    }

    /// The poll has found nothing for the device.
    pub(super) fn advance(&mut self, state: Vec<u8>) {
        self.on_read();
        self.set_state(state);
        self.phase = Phase::Due;
    }

    /// The poll has found a message; the position after it is `next`.
    pub(super) fn set_ready(&mut self, message: Notification, next: Vec<u8>) {
        self.on_read();
        self.counted.set(self.bytes + self.state.len() + next.len());
        self.phase = Phase::Ready(message, next);
    }

    fn on_read(&mut self) {
        self.failures = 0;
        self.unreadable = 0;
    }

    /// The message whose turn it is. It counts as sent.
    pub(super) fn send(&mut self) -> Option<coap::Message> {
        if !matches!(self.phase, Phase::Ready(..)) {
            return None;
        }
        let Phase::Ready(message, next) = std::mem::replace(&mut self.phase, Phase::Due) else {
            return None;
        };
        self.phase = Phase::Sent(next);
        message.into_message()
    }

    /// The device has the first response or the last message as a whole. Returns whether it waited for that.
    pub(super) fn on_delivered(&mut self, refresh_at: Instant) -> bool {
        self.refresh_at = refresh_at;
        if !matches!(self.phase, Phase::Sent(_)) {
            return false;
        }
        let Phase::Sent(next) = std::mem::replace(&mut self.phase, Phase::Due) else {
            return false;
        };
        self.set_state(next);
        true
    }

    fn set_state(&mut self, state: Vec<u8>) {
        self.state = state;
        self.counted.set(self.bytes + self.state.len());
    }
}
