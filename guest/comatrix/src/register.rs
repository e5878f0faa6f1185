//! `/register`: make an account
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3register>).
//!
//! The homeserver may ask for user-interactive authentication: its 401 names a `session`, and the request is made once
//! more with the dummy stage for that session.

use comatrix_sdk::bindings::{
    CallError, Context, Effect, HttpRequest, HttpResponse, Message, SessionChange,
};
use comatrix_sdk::payload::Format;
use comatrix_sdk::{Value, code, json};

use crate::call::{call, then};
use crate::fields::{answer_format, expect_text, payload, text};
use crate::homeserver_answer::text_member;
use crate::homeserver_error::{error_object, success};
use crate::login::MAX_TOKEN;
use crate::refusal::Refusal;
use crate::state::{MAX_STATE, damaged, format_only, recall, remember};
use crate::success::{texts, with_session};
use crate::target::{Endpoint, mismatch};

const DUMMY: &str = "m.login.dummy";

/// It is remembered until the homeserver has said whether it wants the session authenticated.
const TOO_LARGE: &str = "an account may take at most about 16,000 bytes";

/// Payload: `username`, `password`, `auth.type` = `m.login.dummy`; further members are passed on.
pub fn begin(context: &Context, request: &Message) -> Result<Effect, Refusal> {
    if !matches!(Endpoint::of(context), None | Some(Endpoint::Register)) {
        return Err(mismatch("/4"));
    }
    if request.payload.len() > MAX_STATE {
        return Err(Refusal::new(
            code::REQUEST_ENTITY_TOO_LARGE,
            format!("payload: {TOO_LARGE}"),
        ));
    }
    let account = payload(request)?;
    text(&account, "username")?;
    text(&account, "password")?;
    expect_text(&account, "auth.type", DUMMY)?;
    let body = json::encode(&account);
    let again = Value::Text(json::to_text(&without_auth(account)));
    let state = remember(answer_format(request), vec![again], TOO_LARGE)?;
    Ok(then(call_register(context, body), state))
}

/// Answers `{"access_token"}` with 2.04.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, fields) = recall(state)?;
    if let ([Value::Text(account)], Some(session)) = (fields.as_slice(), session(&outcome)) {
        let Ok(Value::Map(mut account)) = json::decode(account.as_bytes()) else {
            return Err(damaged());
        };
        account.push((
            "auth".to_owned(),
            Value::texts([("type", DUMMY), ("session", &session)]),
        ));
        let request = call_register(context, json::encode(&Value::Map(account)));
        return Ok(then(request, format_only(format)));
    }
    logged_in(context, format, outcome)
}

/// The answer to a registration or login that the homeserver accepted. The session's token is remembered for a
/// device whose transport is secured.
pub fn logged_in(
    context: &Context,
    format: Format,
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let token = text_member(
        &success(context, format, outcome)?.body,
        "access_token",
        MAX_TOKEN,
    )?;
    let message = texts(code::CHANGED, format, [("access_token", &token)]);
    Ok(with_session(message, SessionChange::Open(token)))
}

fn call_register(context: &Context, body: Vec<u8>) -> HttpRequest {
    call(context, "none", "POST", &["register"], Some(body))
}

fn without_auth(account: Value) -> Value {
    match account {
        Value::Map(pairs) => {
            Value::Map(pairs.into_iter().filter(|(key, _)| key != "auth").collect())
        }
        other => other,
    }
}

/// The session that a 401 wants authenticated.
fn session(outcome: &Result<HttpResponse, CallError>) -> Option<String> {
    let answer = outcome
        .as_ref()
        .ok()
        .filter(|answer| answer.status == 401)?;
    error_object(answer)?
        .get("session")?
        .as_text()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{call, json_request, local, path, reply, success};

    use super::*;

    const ACCOUNT: &str = r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy"}}"#;

    fn unauthorized(body: &str) -> Result<HttpResponse, CallError> {
        success(body).map(|answer| HttpResponse {
            status: 401,
            ..answer
        })
    }

    #[test]
    fn the_account_is_passed_on_and_the_token_comes_back_alone() {
        let context = local(&[]);
        let step = call(begin(&context, &json_request(ACCOUNT)));
        assert_eq!(path(&step), "/register");
        assert_eq!(step.request.body.as_deref(), Some(ACCOUNT.as_bytes()));
        let answer = reply(resume(
            &context,
            &step.state,
            success(r#"{"user_id":"@u:h","access_token":"x"}"#),
        ));
        assert_eq!(answer.message.payload, b"\xa1\x6caccess_token\x61x");
        assert_eq!(answer.session, Some(SessionChange::Open("x".to_owned())));
    }

    #[test]
    fn a_session_is_authenticated_once() {
        let context = local(&[]);
        let step = call(begin(&context, &json_request(ACCOUNT)));
        let again = call(resume(
            &context,
            &step.state,
            unauthorized(r#"{"session":"s"}"#),
        ));
        let expected =
            r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy","session":"s"}}"#;
        assert_eq!(again.request.body.as_deref(), Some(expected.as_bytes()));
        let refusal = resume(&context, &again.state, unauthorized(r#"{"session":"s"}"#))
            .expect_err("a second 401");
        assert_eq!(refusal.code, code::UNAUTHORIZED);
    }
}
