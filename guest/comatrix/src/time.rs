//! `/time`: the gateway's clock, for devices that have none.

use comatrix_sdk::homeserver_error::RETRY_SECONDS;
use comatrix_sdk::payload::TEXT_PLAIN;
use comatrix_sdk::rule::{ErrorResponse, Outcome, Reply, Request, Route, code};
use comatrix_sdk::text::decimal;

/// `GET /time`.
pub static ROUTE: Route = Route::get("time", begin)
    .produces(&[TEXT_PLAIN])
    .attributes(&[("rt", "comatrix.time"), ("if", "comatrix")]);

/// Replies with the Unix time in seconds as ASCII digits. Max-Age 0: a time from a cache is wrong.
fn begin(request: &Request) -> Outcome {
    match request.now() {
        Some(now) => Ok(Reply::text(decimal(now)).max_age(0).into()),
        None => Err(ErrorResponse::new(
            code::SERVICE_UNAVAILABLE,
            "the gateway's clock is not set yet",
        )
        .retry_after(RETRY_SECONDS)),
    }
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{Context, Effect};

    use super::*;
    use crate::fixtures::{Exchange, empty_request};

    #[test]
    fn a_clock_that_is_not_set_has_no_time() {
        let exchange = Exchange::local("time", &[]);
        let failure = exchange.begin(&empty_request());
        let failure = failure.expect_err("there is no time");
        assert_eq!(
            (failure.code, failure.max_age),
            (code::SERVICE_UNAVAILABLE, Some(RETRY_SECONDS))
        );
        let set = Exchange {
            context: Context {
                now: Some(1_700_000_000),
                ..exchange.context
            },
            ..exchange
        };
        match set.begin(&empty_request()) {
            Ok(Effect::Reply(reply)) => assert_eq!(reply.message.payload, b"1700000000"),
            other => panic!("no reply, but {other:?}"),
        }
    }
}
