//! `/register`: make an account
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3register>).
//!
//! The homeserver may ask for user-interactive authentication: its 401 names a `session`, and the request is made once
//! more with the dummy stage for that session.

use comatrix_sdk::rule::{
    Call, Credential, ErrorResponse, HomeserverResponse, Outcome, Request, Route, Value, code,
    expect_text, text,
};

use crate::access_token::logged_in;

const DUMMY: &str = "m.login.dummy";

/// Bytes of an account. It is the state until the homeserver has said whether it wants the session authenticated; a
/// state may have 16 KiB.
const MAX_ACCOUNT: usize = 16_000;

/// `POST /register`.
pub static ROUTE: Route = Route::post("register", begin)
    .proxy_uri(&["/4", "register"])
    .calls(&[&REGISTER, &AUTHENTICATE])
    .attributes(&[("rt", "comatrix.register"), ("if", "comatrix")]);

/// State: the account without `auth`.
static REGISTER: Call<Value> = Call::post("register", registered)
    .credential(Credential::None)
    .any_status();
static AUTHENTICATE: Call<()> = Call::post("register", logged_in).credential(Credential::None);

/// Payload: `username`, `password`, `auth.type` = `m.login.dummy`; further members are passed on.
fn begin(request: &Request) -> Outcome {
    if request.bytes().len() > MAX_ACCOUNT {
        return Err(ErrorResponse::new(
            code::REQUEST_ENTITY_TOO_LARGE,
            "payload: an account may take at most 16,000 bytes",
        ));
    }
    let account = request.payload()?;
    text(&account, "username")?;
    text(&account, "password")?;
    expect_text(&account, "auth.type", DUMMY)?;
    let register = REGISTER.to(&[]).json(&account)?;
    register.send_with_state(without_auth(account))
}

fn registered(response: &HomeserverResponse, account: Value) -> Outcome {
    match (response.authentication_session(), account) {
        (Some(session), Value::Map(mut account)) => {
            let auth = Value::texts([("type", DUMMY), ("session", &session)]);
            account.push(("auth".to_owned(), auth));
            AUTHENTICATE.to(&[]).json(&Value::Map(account))?.send()
        }
        _ => {
            response.success()?;
            logged_in(response, ())
        }
    }
}

fn without_auth(account: Value) -> Value {
    match account {
        Value::Map(pairs) => {
            Value::Map(pairs.into_iter().filter(|(key, _)| key != "auth").collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{CallError, Effect, HttpResponse, SessionChange};
    use comatrix_sdk::message::CONTENT_FORMAT;

    use super::*;
    use crate::fixtures::{Exchange, json_request, success};

    const ACCOUNT: &str = r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy"}}"#;

    fn unauthorized(body: &str) -> Result<HttpResponse, CallError> {
        success(body).map(|response| HttpResponse {
            status: 401,
            ..response
        })
    }

    #[test]
    fn the_account_is_passed_on_and_the_token_comes_back_alone() {
        let exchange = Exchange::local("register", &[]);
        let step = exchange.call(&json_request(ACCOUNT));
        assert_eq!(exchange.path(&step), "/register");
        assert_eq!(step.request.body.as_deref(), Some(ACCOUNT.as_bytes()));
        let body = r#"{"user_id":"@u:h","access_token":"x"}"#;
        let reply = exchange.reply(&step, success(body));
        assert_eq!(reply.message.payload, b"\xa1\x6caccess_token\x61x");
        assert_eq!(reply.session, Some(SessionChange::Open("x".to_owned())));
    }

    #[test]
    fn a_session_is_authenticated_once() {
        let exchange = Exchange::local("register", &[]);
        let step = exchange.call(&json_request(ACCOUNT));
        let again = exchange.next_call(&step, unauthorized(r#"{"session":"s"}"#));
        let expected =
            r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy","session":"s"}}"#;
        assert_eq!(again.request.body.as_deref(), Some(expected.as_bytes()));
        match exchange.resume(&again, unauthorized(r#"{"session":"s"}"#)) {
            Ok(Effect::Reply(reply)) => {
                assert_eq!(reply.message.code, code::UNAUTHORIZED);
                assert_eq!(reply.message.options[0].number, CONTENT_FORMAT);
            }
            other => panic!("no 4.01 with the homeserver's error, but {other:?}"),
        }
    }
}
