//! One device's observation: its topic, and the notifications queued for it.

use std::collections::VecDeque;
use std::time::Instant;

use super::limits::{MAX_QUEUED, MAX_QUEUED_BYTES_OF_OBSERVER, MAX_RETAINED_RESPONSE};
use super::long_poll::PollId;
use super::notification::Notification;
use super::queued_bytes::QueuedBytes;
use super::shared_change::{Changes, hash};
use crate::byte_account::Counted;
use crate::request::ObserveRequest;
use contract::{Context, Watch};
use homeserver::Caller;
use runtime::ObserverError;

/// There is no room for the newest notification of a device.
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
    /// Changes that were passed over before the queue, until a notification has said so.
    missed: u64,
    /// How many the notification says that was sent last, until the device has acknowledged it.
    announced: u64,
    /// Whether a notification has been sent and not yet acknowledged.
    is_sending: bool,
    /// The last one sent, which the refresh repeats. None if there was no room to keep it: then the device gets no
    /// refresh, and another representation if it registers again.
    last: Option<Notification>,
    refresh_at: Instant,
    /// Its own bytes.
    pub(super) counted: Counted,
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
            missed: 0,
            announced: 0,
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

    /// The message of the notification that was sent last.
    ///
    /// # Errors
    /// The rule trapped or broke its contract.
    pub(super) fn message(&self, sent: &Notification) -> Result<coap::Message, ObserverError> {
        sent.message(&self.context, self.announced)
    }

    pub(super) fn refresh_at(&self) -> Instant {
        self.refresh_at
    }

    pub(super) fn set_refresh_at(&mut self, at: Instant) {
        self.refresh_at = at;
    }

    /// Queues the changes of one poll in their order, but not the one that the first response has shown, nor those
    /// before it. Returns how many changes were passed over.
    ///
    /// # Errors
    /// See [`queue`](Self::queue).
    pub(super) fn queue_changes(
        &mut self,
        changes: &Changes,
        account: &QueuedBytes,
    ) -> Result<u64, Overflow> {
        let Changes { found, is_complete } = changes;
        let shown = self.shown;
        let position = found.iter().position(|change| Some(change.hash()) == shown);
        if position.is_some() {
            self.shown = None;
        }
        let mut passed_over = 0;
        if !is_complete && position.is_none() {
            // Older than what waits: all of that is passed over too.
            passed_over += 1 + self.queue.len() as u64;
            while self.pass_over() {}
            self.missed += 1;
        }
        for change in &found[position.map_or(0, |position| position + 1)..] {
            passed_over += self.queue(Notification::Change(change.clone()), account)?;
        }
        Ok(passed_over)
    }

    /// Queues a notification. The oldest ones that wait are passed over if there are too many: an observation follows
    /// the latest state (RFC 7641 §1.3). If the room for all observations is full, or its host's share of it, the new
    /// one takes their place. Returns how many were passed over.
    ///
    /// # Errors
    /// [`Overflow`]: that room is full, and the device has not acknowledged the only one that it has.
    pub(super) fn queue(
        &mut self,
        notification: Notification,
        account: &QueuedBytes,
    ) -> Result<u64, Overflow> {
        let is_full = || account.is_full(self.device.owner);
        let mut must_replace = !self.is_idle() && is_full();
        if must_replace && self.queue.is_empty() {
            return Err(Overflow);
        }
        let most = MAX_QUEUED - usize::from(self.is_sending);
        let most_bytes = MAX_QUEUED_BYTES_OF_OBSERVER.saturating_sub(notification.bytes());
        let mut passed_over = 0;
        while (must_replace || self.queue.len() >= most || self.queued_bytes() > most_bytes)
            && self.pass_over()
        {
            passed_over += 1;
            must_replace = must_replace && account.is_full(self.device.owner);
        }
        self.queue.push_back(notification);
        Ok(passed_over)
    }

    fn queued_bytes(&self) -> usize {
        self.queue.iter().map(Notification::bytes).sum()
    }

    /// Drops the oldest notification that waits; false if there is none.
    fn pass_over(&mut self) -> bool {
        let Some(oldest) = self.queue.pop_front() else {
            return false;
        };
        self.missed += 1 + oldest.missed();
        true
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
        self.announced = match notification {
            Notification::Change(_) => std::mem::take(&mut self.missed),
            Notification::Message(_) => 0,
        };
        self.last = account
            .has_spare_room(self.device.owner)
            .then(|| notification.clone());
        Some(notification)
    }

    /// The device has acknowledged the notification.
    pub(super) fn on_delivered(&mut self) {
        self.is_sending = false;
        self.announced = 0;
    }

    /// Makes the messages of at most `most` queued changes, with the revision that has read them. Returns how many it
    /// made.
    ///
    /// # Errors
    /// [`Overflow`]: there is no room even for the newest one. The messages take more than the changes, which all
    /// observers share.
    pub(super) fn render(&mut self, most: usize, account: &QueuedBytes) -> Result<usize, Overflow> {
        let owner = self.device.owner;
        let is_change = |queued: &Notification| matches!(queued, Notification::Change(_));
        let mut made = 0;
        let mut at = 0;
        while made < most
            && let Some(queued) = self.queue.get(at).cloned()
        {
            let is_full = |observer: &Self| {
                account.is_full(owner) || observer.queued_bytes() > MAX_QUEUED_BYTES_OF_OBSERVER
            };
            self.render_at(at, &queued, account);
            if is_change(&queued) {
                made += 1;
                // Its message has to say how many were passed over, so all before it are.
                if is_full(self) && at > 0 {
                    while at > 0 && self.pass_over() {
                        at -= 1;
                    }
                    self.render_at(at, &queued, account);
                }
            }
            if !is_full(self) {
                at += 1;
            } else if self.queue.len() == 1 {
                return Err(Overflow);
            } else {
                self.pass_over();
                at = at.saturating_sub(1);
            }
        }
        if made < most
            && let Some(last) = self.last.take_if(|last| is_change(last))
        {
            let last = last.rendered(&self.context, self.announced, account, owner);
            made += 1;
            self.last = account.has_spare_room(owner).then_some(last);
        }
        Ok(made)
    }

    /// Makes the message of a change at this place in the queue.
    fn render_at(&mut self, at: usize, queued: &Notification, account: &QueuedBytes) {
        if let Notification::Change(_) = queued {
            let missed = match at {
                0 => std::mem::take(&mut self.missed),
                _ => 0,
            };
            // First the room of an earlier rendering.
            self.queue[at] = queued.clone();
            self.queue[at] = queued.rendered(&self.context, missed, account, self.device.owner);
        }
    }
}
