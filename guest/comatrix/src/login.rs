//! `/login`: log in with a password
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3login>).

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpResponse, Message};

use crate::call::{call, then};
use crate::fields::{answer_format, expect_text, json_body, payload, text};
use crate::refusal::Refusal;
use crate::register::logged_in;
use crate::state::{format_only, recall};
use crate::target::{Endpoint, mismatch};

/// Bytes of an access token: what the gateway accepts in option 256.
pub const MAX_TOKEN: usize = 1024;

/// Payload: `type` = `m.login.password`, `identifier.type` = `m.id.user`, `identifier.user`, `password`; further
/// members are passed on.
pub fn begin(context: &Context, request: &Message) -> Result<Effect, Refusal> {
    if !matches!(Endpoint::of(context), None | Some(Endpoint::Login)) {
        return Err(mismatch("/1"));
    }
    let login = payload(request)?;
    expect_text(&login, "type", "m.login.password")?;
    expect_text(&login, "identifier.type", "m.id.user")?;
    text(&login, "identifier.user")?;
    text(&login, "password")?;
    let request_of_device = call(
        context,
        "none",
        "POST",
        &["login"],
        Some(json_body(&login)?.into_bytes()),
    );
    Ok(then(request_of_device, format_only(answer_format(request))))
}

/// Answers `{"access_token"}` with 2.04.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, _) = recall(state)?;
    logged_in(context, format, outcome)
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{Reply, SessionChange};
    use comatrix_sdk::code;

    use crate::fixtures::{call, json_request, local, path, proxied, reply, success};

    use super::*;

    const LOGIN: &str = r#"{"type":"m.login.password","identifier":{"type":"m.id.user","user":"u"},"password":"p"}"#;

    #[test]
    fn a_token_comes_back_and_opens_the_session() {
        let context = proxied("1");
        let step = call(begin(&context, &json_request(LOGIN)));
        assert_eq!(
            (path(&step).as_str(), step.request.credential.as_str()),
            ("/login", "none")
        );
        let Reply {
            message, session, ..
        } = reply(resume(
            &context,
            &step.state,
            success(r#"{"device_id":"D","access_token":"x"}"#),
        ));
        assert_eq!(
            (message.code, message.payload.as_slice()),
            (code::CHANGED, &b"\xa1\x6caccess_token\x61x"[..])
        );
        assert_eq!(session, Some(SessionChange::Open("x".to_owned())));
    }

    #[test]
    fn each_field_is_asked_for_by_its_name() {
        for (field, part) in [
            ("type", r#""type":"m.login.password","#),
            ("identifier.type", r#""type":"m.id.user","#),
            ("identifier.user", r#","user":"u""#),
            ("password", r#","password":"p""#),
        ] {
            let without = LOGIN.replace(part, "");
            let expected = Refusal::bad_request(format!("payload: field {field}: missing"));
            assert_eq!(begin(&local(&[]), &json_request(&without)), Err(expected));
        }
    }
}
