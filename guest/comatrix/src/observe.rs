//! What follows the first answer of an observation of `/getmsg`: the homeserver's stream of events is asked on behalf of all
//! devices that wait for messages of the account's rooms. A topic is a room's id.

use comatrix_sdk::bindings::{
    Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress,
};
use comatrix_sdk::settings::Settings;
use comatrix_sdk::watch::{self, Position};
use comatrix_sdk::{cbor, code};

use crate::describe::{Resource, resource};
use crate::fields::notification_format;
use crate::refusal::{Errors, Refusal};
use crate::success::texts;

/// The request that waits for messages in the rooms `topics`.
pub fn poll(state: &[u8], topics: &[String]) -> Result<HttpRequest, Failure> {
    let position = Position::recall(state).map_err(Refusal::into_failure)?;
    let rooms: Vec<&str> = topics.iter().map(String::as_str).collect();
    Ok(watch::poll(&position, &rooms))
}

/// The messages in its answer.
pub fn polled(
    settings: &dyn Settings,
    state: &[u8],
    topics: &[String],
    answer: &HttpResponse,
) -> Result<Progress, Failure> {
    let is_topic = |room: &str| {
        let found = topics.binary_search_by(|topic| topic.as_str().cmp(room));
        found.is_ok()
    };
    Position::recall(state)
        .and_then(|position| {
            watch::polled(
                position,
                answer,
                &mut |changes, room, message| match message {
                    _ if !is_topic(room) => {}
                    Some(message) => changes.push(room, watch::message_payload(&message)),
                    None => changes.lose(room),
                },
            )
        })
        .map_err(|refusal| Errors::of(settings).failure(refusal))
}

/// 2.05 with `{"sender","body"}`, as the first answer.
pub fn notify(context: &Context, change: &Change) -> Result<Message, Failure> {
    if resource(context.link) == Some(Resource::Getmsg)
        && let Ok(message) = cbor::decode(&change.payload)
    {
        let text = |name| message.get(name).and_then(|text| text.as_text());
        if let (Some(sender), Some(body)) = (text("sender"), text("body")) {
            let pairs = [("sender", sender), ("body", body)];
            return Ok(texts(code::CONTENT, notification_format(context), pairs));
        }
    }
    Err(Refusal::internal("the gateway told a change that the rule did not make").into_failure())
}

#[cfg(test)]
mod tests {
    use crate::fixtures::local;

    use super::*;

    fn answer(status: u16, body: &str) -> HttpResponse {
        HttpResponse {
            status,
            headers: vec![],
            body: body.into(),
        }
    }

    fn state() -> Vec<u8> {
        Position {
            requested: false,
            since: "s1".to_owned(),
        }
        .state()
    }

    #[test]
    fn legacy_errors_hide_what_ends_an_observation_but_not_what_the_gateway_tries_again() {
        let legacy = [("errors", "legacy")];
        for (status, precise_code, legacy_code) in [
            (401, code::UNAUTHORIZED, code::BAD_REQUEST),
            (429, code::TOO_MANY_REQUESTS, code::TOO_MANY_REQUESTS),
            (503, code::SERVICE_UNAVAILABLE, code::SERVICE_UNAVAILABLE),
            (502, code::BAD_GATEWAY, code::BAD_GATEWAY),
        ] {
            let code = |settings: &dyn Settings| {
                polled(settings, &state(), &[], &answer(status, "{}"))
                    .expect_err("no success")
                    .code
            };
            assert_eq!((code(&[]), code(&legacy)), (precise_code, legacy_code));
        }
    }

    #[test]
    fn a_state_of_another_revision_is_refused() {
        for state in [&b""[..], b"\x83\x02\xf4\x62s1", b"\x80"] {
            let failure = poll(state, &[]).expect_err("unknown");
            assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
            let failure = polled(&[], state, &[], &answer(200, "{}")).expect_err("unknown");
            assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
        }
    }

    #[test]
    fn a_change_that_the_rule_did_not_make_is_no_notification() {
        let change = |payload: &[u8]| Change {
            topic: "!r".to_owned(),
            payload: payload.to_vec(),
        };
        // Link 9 is `/getmsg/{room}`, 0 `/register`.
        for (link, payload) in [
            (9, &b""[..]),
            (9, b"\xa1\x66sender\x61@"),
            (0, b"\xa2\x66sender\x61@\x64body\x60"),
        ] {
            let context = Context {
                link,
                ..local(&["!r"])
            };
            let failure = notify(&context, &change(payload)).expect_err("foreign");
            assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
        }
    }
}
