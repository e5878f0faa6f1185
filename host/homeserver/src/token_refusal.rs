//! Responses by which a homeserver refuses an access token.

use contract::Outcome;
use serde::Deserialize;

/// The part of an error response that says what is wrong. Everything else is skipped.
#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    errcode: Option<&'a str>,
}

/// Whether the access token of a call has ended: 401 with M_UNKNOWN_TOKEN (Matrix 1.13, client-server API, §5.7). Not
/// any other 401: a homeserver asks with it for more authentication (§5.6), and a network's login page may have it.
#[must_use]
pub fn refuses_token(outcome: &Outcome) -> bool {
    let Ok(response) = outcome else {
        return false;
    };
    response.status == 401
        && serde_json::from_slice::<Refusal<'_>>(&response.body)
            .is_ok_and(|refusal| refusal.errcode == Some("M_UNKNOWN_TOKEN"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{CallError, HttpResponse};

    #[test]
    fn only_a_homeserver_that_does_not_know_the_token_refuses_it() {
        let refuses = |status, body: &str| {
            refuses_token(&Ok(HttpResponse {
                status,
                headers: vec![],
                body: body.into(),
            }))
        };
        let unknown = r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Logged out","soft_logout":true}"#;
        assert!(refuses(401, unknown));
        assert!(!refuses(403, unknown) && !refuses(200, unknown));
        for body in [
            r#"{"flows":[],"session":"x"}"#,
            r#"{"errcode":"M_FORBIDDEN"}"#,
            r#"{"errcode":7}"#,
            "<html>",
            "",
        ] {
            assert!(!refuses(401, body), "{body}");
        }
        assert!(!refuses_token(&Err(CallError::unsent("tls"))));
    }
}
