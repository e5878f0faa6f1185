//! One device's observation: what it waits for, and what waits for it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::broker::PollId;
use super::limits::{MAX_KEPT, MAX_WAITING};
use super::notification::of_change;
use super::shared_change::{SharedChange, hash};

use contract::{Context, Watch};
use homeserver::Caller;
use runtime::Trap;

/// What a device is told.
#[derive(Clone)]
pub(super) enum Item {
    /// A change; the message is made when its turn comes.
    Change(Rc<SharedChange>),
    /// A message.
    Message(Rc<coap::Message>),
}

impl Item {
    /// The message of it.
    ///
    /// # Errors
    /// The rule trapped.
    pub(super) fn message(&self, context: &Context) -> Result<coap::Message, Trap> {
        match self {
            Self::Message(message) => Ok((**message).clone()),
            Self::Change(told) => of_change(context, told),
        }
    }
}

/// More waits for the device than it will catch up with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

pub(super) struct Observer {
    pub(super) poll: PollId,
    pub(super) topic: String,
    pub(super) context: Context,
    pub(super) device: Caller,
    /// The Uri-Path that it asked for.
    pub(super) path: Vec<String>,
    /// The change that the first answer has shown already, until the poll has told it as well.
    shown: Option<u64>,
    waiting: VecDeque<Item>,
    /// Whether a notification is under way.
    is_sending: bool,
    /// What was sent last, to be sent again when nothing new comes.
    pub(super) last: Option<Item>,
    /// When it is.
    pub(super) refresh_at: Instant,
}

impl Observer {
    pub(super) fn new(
        poll: PollId,
        topic: String,
        context: Context,
        device: Caller,
        path: Vec<String>,
        refresh_at: Instant,
    ) -> Self {
        Self {
            poll,
            topic,
            context,
            device,
            path,
            shown: None,
            waiting: VecDeque::new(),
            is_sending: false,
            last: None,
            refresh_at,
        }
    }

    /// The device was answered with this.
    pub(super) fn show(&mut self, watch: &Watch, answer: coap::Message) {
        self.shown = watch.shown.as_deref().map(hash);
        if answer.payload.len() <= MAX_KEPT {
            self.last = Some(Item::Message(Rc::new(answer)));
        }
    }

    /// The changes of one answer, in their order. What the first answer has shown, and what was before it, is not told again.
    pub(super) fn tell(&mut self, changes: &[Rc<SharedChange>]) -> Result<(), Overflow> {
        let shown = self.shown;
        let known = changes.iter().position(|told| Some(told.hash) == shown);
        if known.is_some() {
            self.shown = None;
        }
        let new = &changes[known.map_or(0, |known| known + 1)..];
        new.iter()
            .try_for_each(|told| self.push(Item::Change(told.clone())))
    }

    pub(super) fn push(&mut self, item: Item) -> Result<(), Overflow> {
        if self.waiting.len() + usize::from(self.is_sending) >= MAX_WAITING {
            return Err(Overflow);
        }
        self.waiting.push_back(item);
        Ok(())
    }

    /// Whether a notification can leave.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_sending && !self.waiting.is_empty()
    }

    /// Whether nothing waits and nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_sending && self.waiting.is_empty()
    }

    /// What would be sent next.
    pub(super) fn next(&self) -> Option<&Item> {
        self.waiting.front()
    }

    /// The next notification; it is under way from now on.
    pub(super) fn send(&mut self) -> Option<Item> {
        if self.is_sending {
            return None;
        }
        let item = self.waiting.pop_front()?;
        self.is_sending = true;
        self.last = Some(item.clone());
        Some(item)
    }

    /// The device has it.
    pub(super) fn delivered(&mut self) {
        self.is_sending = false;
    }

    /// What waits, to be put in other words.
    pub(super) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.waiting.iter_mut().chain(&mut self.last)
    }
}
