//! `/time`: the gateway's clock, for devices that have none.

use comatrix_sdk::bindings::{Context, Effect};
use comatrix_sdk::code;
use comatrix_sdk::message::{reply, response};
use comatrix_sdk::payload::TEXT_PLAIN;

use crate::homeserver_error::RETRY_SECONDS;
use crate::refusal::Refusal;

/// Answers the Unix time in seconds as ASCII digits. Max-Age 0: a time that was kept is a wrong one.
pub fn begin(context: &Context) -> Result<Effect, Refusal> {
    if context.requested.is_some() {
        return Err(Refusal::bad_request(
            "Proxy-Uri: /time is the gateway's own; leave the option out",
        ));
    }
    let Some(now) = context.now else {
        let refusal = Refusal::new(
            code::SERVICE_UNAVAILABLE,
            "the gateway's clock is not set yet",
        );
        return Err(refusal.retry_after(RETRY_SECONDS));
    };
    Ok(reply(response(
        code::CONTENT,
        Some(TEXT_PLAIN),
        Some(0),
        now.to_string().into_bytes(),
    )))
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{local, reply as replied};

    use super::*;

    #[test]
    fn a_clock_that_is_not_set_tells_no_time() {
        let refusal = begin(&local(&[])).expect_err("there is no time to tell");
        assert_eq!(
            (refusal.code, refusal.max_age),
            (code::SERVICE_UNAVAILABLE, Some(RETRY_SECONDS))
        );
        let set = Context {
            now: Some(1_700_000_000),
            ..local(&[])
        };
        assert_eq!(replied(begin(&set)).message.payload, b"1700000000");
    }
}
