//! One device's observation: its topic, and the notifications queued for it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::limits::{MAX_QUEUED, MAX_QUEUED_BYTES_OF_OBSERVER, MAX_RETAINED_RESPONSE};
use super::long_poll::PollId;
use super::notification::{Notification, rule_failed};
use super::queued_bytes::QueuedBytes;
use super::shared_change::{SharedChange, hash};
use crate::byte_account::Counted;
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
    /// The last one sent, which the refresh repeats. None if there was no room to keep it: then the device gets no
    /// refresh, and another representation if it registers again.
    last: Option<Notification>,
    refresh_at: Instant,
    /// Its own bytes.
    counted: Counted,
}

impl Observer {
    /// The observer that `request` registers, after its first response.
    pub(super) fn new(
        poll: PollId,
        request: ObserveRequest,
        response: coap::Message,
        refresh_at: Instant,
        (account, counted): (&QueuedBytes, Counted),
    ) -> Self {
        let Watch { topic, shown, .. } = request.watch;
        let owner = request.device.owner;
        let is_retained =
            response.payload.len() <= MAX_RETAINED_RESPONSE && account.has_spare_room(owner);
        Self {
            poll,
            topic,
            context: request.context,
            device: request.device,
            path: request.path,
            shown: shown.as_deref().map(hash),
            queue: VecDeque::new(),
            is_sending: false,
            last: is_retained.then(|| Notification::of_message(response, account, owner)),
            refresh_at,
            counted,
        }
    }

    /// The device has registered again with the same token (RFC 7641 §4.1).
    pub(super) fn renew(&mut self, request: ObserveRequest, bytes: usize) {
        self.counted.set(bytes);
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
    pub(super) fn queue_changes(
        &mut self,
        changes: &[Rc<SharedChange>],
        account: &QueuedBytes,
    ) -> Result<(), Overflow> {
        let shown = self.shown;
        let position = changes
            .iter()
            .position(|change| Some(change.hash()) == shown);
        if position.is_some() {
            self.shown = None;
        }
        let new = &changes[position.map_or(0, |position| position + 1)..];
        new.iter()
            .try_for_each(|change| self.queue(Notification::Change(change.clone()), account))
    }

    /// Queues a notification. If the room for all observations is full, or its host's share of it, only a device that
    /// has acknowledged everything gets one more: one that acknowledges nothing loses its observation first.
    pub(super) fn queue(
        &mut self,
        notification: Notification,
        account: &QueuedBytes,
    ) -> Result<(), Overflow> {
        let waiting = self.queue.len() + usize::from(self.is_sending);
        let bytes: usize = self.queue.iter().map(Notification::bytes).sum();
        let is_full = waiting >= MAX_QUEUED
            || (waiting > 0 && account.is_full(self.device.owner))
            || (waiting > 0 && bytes + notification.bytes() > MAX_QUEUED_BYTES_OF_OBSERVER);
        if is_full {
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
    pub(super) fn send(&mut self, account: &QueuedBytes) -> Option<Notification> {
        if self.is_sending {
            return None;
        }
        let notification = self.queue.pop_front()?;
        self.is_sending = true;
        self.last = account
            .has_spare_room(self.device.owner)
            .then(|| notification.clone());
        Some(notification)
    }

    /// The device has acknowledged the notification.
    pub(super) fn on_delivered(&mut self) {
        self.is_sending = false;
    }

    /// Makes the messages of at most `most` queued changes, with the revision that has read them. Returns how many it
    /// made.
    ///
    /// # Errors
    /// [`Overflow`]: the messages take more than the changes, which all observers share.
    pub(super) fn render(&mut self, most: usize, account: &QueuedBytes) -> Result<usize, Overflow> {
        let (context, owner) = (&self.context, self.device.owner);
        let render = |queued: &Notification| {
            let message = queued.message(context).unwrap_or_else(|_| rule_failed());
            Notification::of_message(message, account, owner)
        };
        let is_change = |queued: &Notification| matches!(queued, Notification::Change(_));
        let mut made = 0;
        let mut bytes = 0;
        for queued in &mut self.queue {
            if made < most && is_change(queued) {
                *queued = render(queued);
                made += 1;
                if account.is_full(owner) {
                    return Err(Overflow);
                }
            }
            bytes += queued.bytes();
        }
        if bytes > MAX_QUEUED_BYTES_OF_OBSERVER {
            return Err(Overflow);
        }
        if made < most
            && let Some(last) = self.last.take_if(|last| is_change(last))
        {
            let last = render(&last);
            made += 1;
            self.last = account.has_spare_room(owner).then_some(last);
        }
        Ok(made)
    }
}
