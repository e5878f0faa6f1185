//! What is sent to an observer.

use std::time::Duration;

use super::limits::COME_BACK;
use super::shared_change::SharedChange;
use crate::request::reply::{failed, to_coap};
use coap::{self, code, option};
use contract::Context;
use runtime::Trap;

/// Seconds beyond the refresh within which it reaches a device that misses its first transmissions (RFC 7252 §4.8.2,
/// MAX_TRANSMIT_WAIT).
const GRACE: u64 = 93;

/// The notification of a change.
///
/// # Errors
/// The rule trapped; the observation is over.
pub(super) fn of_change(context: &Context, told: &SharedChange) -> Result<coap::Message, Trap> {
    let answer = told.revision.notify(context, &told.change)?;
    let message = match answer {
        Some(Ok(message)) => to_coap(message),
        Some(Err(failure)) => failed(failure),
        None => {
            return Ok(ended(
                code::INTERNAL_SERVER_ERROR,
                "the rule does not observe",
            ));
        }
    };
    Ok(message.unwrap_or_else(|refusal| {
        if told
            .revision
            .state()
            .budget
            .admit_line(std::time::Instant::now())
        {
            tracing::error!("{}: {refusal:?}", told.revision.name());
        }
        refusal.response()
    }))
}

/// How long a representation is fresh: until the next notification at the latest, which comes with the refresh
/// (RFC 7641 §4.3.1).
pub(super) fn keep_fresh(message: &mut coap::Message, refresh: Duration) {
    if message.option(option::MAX_AGE).is_none() {
        let seconds = u32::try_from(refresh.as_secs() + GRACE).unwrap_or(u32::MAX);
        message.push_uint_option(option::MAX_AGE, seconds);
    }
}

/// The last one of an observation whose rule trapped.
pub(super) fn rule_failed() -> coap::Message {
    ended(code::INTERNAL_SERVER_ERROR, "the translation rule failed")
}

/// The last notification: it says why, and when to come back where that makes sense.
pub(super) fn ended(code: u8, why: &str) -> coap::Message {
    let message = coap::Message::diagnostic(code, why);
    if code == code::SERVICE_UNAVAILABLE {
        return message.with_uint_option(option::MAX_AGE, COME_BACK);
    }
    message
}
