//! `/login`: log in with a password
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3login>).

use comatrix_sdk::rule::{Call, Credential, Outcome, Request, Route, expect_text, text};

use crate::access_token::logged_in;

/// `POST /login`.
pub static ROUTE: Route = Route::post("login", begin)
    .proxy_uri(&["/1", "login"])
    .calls(&[&LOGIN])
    .attributes(&[("rt", "comatrix.login"), ("if", "comatrix")]);

static LOGIN: Call<()> = Call::post("login", logged_in).credential(Credential::None);

/// Payload: `type` = `m.login.password`, `identifier.type` = `m.id.user`, `identifier.user`, `password`; further
/// members are passed on.
fn begin(request: &Request) -> Outcome {
    let login = request.payload()?;
    expect_text(&login, "type", "m.login.password")?;
    expect_text(&login, "identifier.type", "m.id.user")?;
    text(&login, "identifier.user")?;
    text(&login, "password")?;
    LOGIN.to(&[]).json(&login)?.send()
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{Reply, SessionChange};
    use comatrix_sdk::code;
    use comatrix_sdk::message::failure;

    use crate::fixtures::{Exchange, json_request, success};

    const LOGIN: &str = r#"{"type":"m.login.password","identifier":{"type":"m.id.user","user":"u"},"password":"p"}"#;

    #[test]
    fn a_token_comes_back_and_opens_the_session() {
        let exchange = Exchange::proxied("login", "1");
        let step = exchange.call(&json_request(LOGIN));
        assert_eq!(
            (
                exchange.path(&step).as_str(),
                step.request.credential.as_str()
            ),
            ("/login", "none")
        );
        let Reply {
            message, session, ..
        } = exchange.reply(&step, success(r#"{"device_id":"D","access_token":"x"}"#));
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
            let expected = failure(
                code::BAD_REQUEST,
                format!("payload: field {field}: missing"),
            );
            let exchange = Exchange::local("login", &[]);
            assert_eq!(exchange.begin(&json_request(&without)), Err(expected));
        }
    }
}
