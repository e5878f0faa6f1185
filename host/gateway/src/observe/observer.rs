//! One device's observation: its topic, and the notifications queued for it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::limits::{MAX_QUEUED, MAX_RETAINED_RESPONSE};
use super::long_poll::PollId;
use super::notification::{Notification, rule_failed};
use super::shared_change::{SharedChange, hash};
use crate::request::ObserveRequest;
use contract::{Context, Watch};
use homeserver::Caller;

/// More is queued than the device will catch up with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

pub(super) struct Observer {
    poll: PollId,
    topic: String,
    context: Context,
    device: Caller,
    /// The Uri-Path of its request.
    path: Vec<String>,
    /// The hash of the change that the first response has shown, until the poll has found that change as well.
    shown: Option<u64>,
    queue: VecDeque<Notification>,
    /// Whether a notification has been sent and not yet acknowledged.
    is_sending: bool,
    /// The last one sent, which the refresh repeats.
    last: Option<Notification>,
    refresh_at: Instant,
}

impl Observer {
    /// The observer that `request` registers, after its first response.
    pub(super) fn new(
        poll: PollId,
        request: ObserveRequest,
        response: coap::Message,
        refresh_at: Instant,
    ) -> Self {
        let Watch { topic, shown, .. } = request.watch;
        let is_retained = response.payload.len() <= MAX_RETAINED_RESPONSE;
        Self {
            poll,
            topic,
            context: request.context,
            device: request.device,
            path: request.path,
            shown: shown.as_deref().map(hash),
            queue: VecDeque::new(),
            is_sending: false,
            last: is_retained.then(|| Notification::of_message(response)),
            refresh_at,
        }
    }

    /// The device has registered again with the same token (RFC 7641 §4.1).
    pub(super) fn renew(&mut self, request: ObserveRequest) {
        self.context = request.context;
        self.device = request.device;
        self.path = request.path;
    }

    /// Uses the link and captures that another revision has for its path.
    pub(super) fn relink(&mut self, link: u16, captures: Vec<String>) {
        self.context.link = link;
        self.context.captures = captures;
    }

    /// The long poll that it belongs to.
    pub(super) fn poll(&self) -> PollId {
        self.poll
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// The exchange for which notifications are made.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn device(&self) -> &Caller {
        &self.device
    }

    /// The segments of the Uri-Path that it observes.
    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The last notification sent, or the first response.
    pub(super) fn last(&self) -> Option<&Notification> {
        self.last.as_ref()
    }

    pub(super) fn refresh_at(&self) -> Instant {
        self.refresh_at
    }

    pub(super) fn set_refresh_at(&mut self, at: Instant) {
        self.refresh_at = at;
    }

    /// Queues the changes of one poll in their order, but not the one that the first response has shown, nor those
    /// before it.
    pub(super) fn queue_changes(&mut self, changes: &[Rc<SharedChange>]) -> Result<(), Overflow> {
        let shown = self.shown;
        let position = changes
            .iter()
            .position(|change| Some(change.hash()) == shown);
        if position.is_some() {
            self.shown = None;
        }
        let new = &changes[position.map_or(0, |position| position + 1)..];
        new.iter()
            .try_for_each(|change| self.queue(Notification::Change(change.clone())))
    }

    /// Queues a notification.
    pub(super) fn queue(&mut self, notification: Notification) -> Result<(), Overflow> {
        if self.queue.len() + usize::from(self.is_sending) >= MAX_QUEUED {
            return Err(Overflow);
        }
        self.queue.push_back(notification);
        Ok(())
    }

    /// Whether a notification can leave.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_sending && !self.queue.is_empty()
    }

    /// Whether nothing is queued and nothing unacknowledged.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_sending && self.queue.is_empty()
    }

    /// The notification that [`send`](Self::send) would return.
    pub(super) fn next(&self) -> Option<&Notification> {
        self.queue.front().filter(|_| !self.is_sending)
    }

    /// Takes the next notification. The one after it waits for [`on_delivered`](Self::on_delivered).
    pub(super) fn send(&mut self) -> Option<Notification> {
        if self.is_sending {
            return None;
        }
        let notification = self.queue.pop_front()?;
        self.is_sending = true;
        self.last = Some(notification.clone());
        Some(notification)
    }

    /// The device has acknowledged the notification.
    pub(super) fn on_delivered(&mut self) {
        self.is_sending = false;
    }

    /// Makes the messages of at most `most` queued changes, with the revision that has read them. Returns how many it
    /// made.
    pub(super) fn render(&mut self, most: usize) -> usize {
        let context = &self.context;
        let all = self.queue.iter_mut().chain(&mut self.last);
        let changes = all.filter(|queued| matches!(queued, Notification::Change(_)));
        let mut made = 0;
        for queued in changes.take(most) {
            let message = queued.message(context).unwrap_or_else(|_| rule_failed());
            *queued = Notification::of_message(message);
            made += 1;
        }
        made
    }
}
