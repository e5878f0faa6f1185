//! A notification: from a rule's change, or a message that exists.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::limits::RETRY_AFTER;
use super::queued_bytes::QueuedBytes;
use super::shared_change::SharedChange;
use crate::byte_account::Counted;
use crate::request::reply::{failed, to_coap};
use coap::{self, code, option};
use contract::Context;
use runtime::ObserverError;
use share::Owner;

/// Seconds after the refresh within which it reaches a device that misses its first transmissions (RFC 7252 §4.8.2,
/// MAX_TRANSMIT_WAIT).
const GRACE: u64 = 93;

/// A notification of one observer.
#[derive(Clone)]
pub(super) enum Notification {
    /// A change; the rule makes the message just before it is sent.
    Change(Rc<SharedChange>),
    /// A message.
    Message(Rc<CountedMessage>),
}

/// A message and its bytes in the account of observations.
pub(super) struct CountedMessage {
    message: coap::Message,
    counted: Counted,
    /// How many changes before it the message says are missing.
    missed: u64,
}

impl Notification {
    /// The notification with this message, for a device of this host.
    pub(super) fn of_message(message: coap::Message, account: &QueuedBytes, owner: Owner) -> Self {
        let options = message.options.iter();
        let options = options.map(|option| size_of_val(option) + option.value.len());
        let bytes = size_of::<CountedMessage>() + options.sum::<usize>() + message.payload.len();
        let counted = account.count(owner, bytes);
        let missed = 0;
        Self::Message(Rc::new(CountedMessage {
            message,
            counted,
            missed,
        }))
    }

    /// The notification with its message made, for a device of this host.
    pub(super) fn rendered(
        &self,
        context: &Context,
        missed: u64,
        account: &QueuedBytes,
        owner: Owner,
    ) -> Self {
        let message = self.message(context, missed);
        let rendered = Self::of_message(message.unwrap_or_else(|_| rule_failed()), account, owner);
        match rendered {
            Self::Message(mut message) => {
                if let Some(message) = Rc::get_mut(&mut message) {
                    message.missed = missed;
                }
                Self::Message(message)
            }
            change @ Self::Change(_) => change,
        }
    }

    /// How many changes before it its message says are missing, if the message exists.
    pub(super) fn missed(&self) -> u64 {
        match self {
            Self::Change(_) => 0,
            Self::Message(message) => message.missed,
        }
    }

    /// Its bytes in the account of observations.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Change(change) => change.bytes(),
            Self::Message(message) => message.counted.bytes(),
        }
    }

    /// The message, if it exists. It counts no longer.
    pub(super) fn into_message(self) -> Option<coap::Message> {
        match self {
            Self::Change(_) => None,
            Self::Message(message) => Some(match Rc::try_unwrap(message) {
                Ok(message) => message.message,
                Err(shared) => shared.message.clone(),
            }),
        }
    }

    /// The message to send. `missed`: how many changes before it the device does not get.
    ///
    /// # Errors
    /// The rule trapped or broke its contract; the observation ends.
    pub(super) fn message(
        &self,
        context: &Context,
        missed: u64,
    ) -> Result<coap::Message, ObserverError> {
        match self {
            Self::Message(message) => Ok(message.message.clone()),
            Self::Change(change) if missed == 0 => of_change(context, change),
            Self::Change(change) => {
                let mut context = context.clone();
                context
                    .facts
                    .push(("missed".to_owned(), missed.to_string()));
                of_change(&context, change)
            }
        }
    }
}

fn of_change(context: &Context, change: &SharedChange) -> Result<coap::Message, ObserverError> {
    let revision = change.revision();
    let message = match revision.notify(context, change.change()) {
        Ok(message) => to_coap(message),
        Err(ObserverError::Failed(failure)) => failed(failure),
        Err(fault) => return Err(fault),
    };
    Ok(message.unwrap_or_else(|error| {
        if revision.state().budget.admit_line(Instant::now()) {
            tracing::error!("{}: {error:?}", revision.name());
        }
        error.response()
    }))
}

/// Sets the Max-Age of a representation: until the next notification, which comes with the refresh at the latest
/// (RFC 7641 §4.3.1).
pub(super) fn set_max_age(message: &mut coap::Message, refresh: Duration) {
    if message.option(option::MAX_AGE).is_none() {
        let seconds = u32::try_from(refresh.as_secs() + GRACE).unwrap_or(u32::MAX);
        message.push_uint_option(option::MAX_AGE, seconds);
    }
}

/// The last notification of an observation whose rule trapped.
pub(super) fn rule_failed() -> coap::Message {
    last(code::INTERNAL_SERVER_ERROR, "the translation rule failed")
}

/// A last notification: the reason, and for 5.03 the time after which the device registers again.
pub(super) fn last(code: u8, why: &str) -> coap::Message {
    let message = coap::Message::diagnostic(code, why);
    if code == code::SERVICE_UNAVAILABLE {
        return message.with_uint_option(option::MAX_AGE, RETRY_AFTER);
    }
    message
}
