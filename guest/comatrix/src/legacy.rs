//! The setting `errors`: `precise`, the default, has a code for each kind of failure; `legacy` has 4.00 for all, as
//! the gateway of 2021 had, for devices that test for that code.

use comatrix_sdk::rule::{ErrorResponse, Setting, Settings, code};

/// The setting.
pub const SETTING: Setting = Setting::one_of("errors", &["precise", "legacy"]);

/// An error response as the operator wants it.
pub fn on_error(settings: &dyn Settings, error: ErrorResponse) -> ErrorResponse {
    match settings.get("errors") {
        Some("legacy") => ErrorResponse {
            code: code::BAD_REQUEST,
            ..error
        },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{Failure, HttpResponse};
    use comatrix_sdk::watch::Position;

    use super::*;
    use crate::RULE;

    const LEGACY: [(&str, &str); 1] = [("errors", "legacy")];

    #[test]
    fn legacy_errors_are_all_4_00_and_keep_their_text() {
        let error = ErrorResponse::new(code::GATEWAY_TIMEOUT, "late").retry_after(5);
        let failure = Failure {
            code: code::BAD_REQUEST,
            diagnostic: "late".to_owned(),
            max_age: Some(5),
        };
        assert_eq!(on_error(&LEGACY, error).into_effect(), Err(failure));
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_values_it_may_have() {
        let refused = RULE.describe(&[("errors", "old")]);
        assert!(refused.is_err_and(|remedy| remedy.contains("legacy")));
        let error = ErrorResponse::not_found("none");
        assert_eq!(on_error(&[], error.clone()), error);
    }

    #[test]
    fn legacy_errors_hide_what_ends_an_observation_but_not_what_the_gateway_tries_again() {
        let position = Position {
            requested: false,
            since: "s1".to_owned(),
        };
        for (status, precise_code, legacy_code) in [
            (401, code::UNAUTHORIZED, code::BAD_REQUEST),
            (429, code::TOO_MANY_REQUESTS, code::TOO_MANY_REQUESTS),
            (503, code::SERVICE_UNAVAILABLE, code::SERVICE_UNAVAILABLE),
            (502, code::BAD_GATEWAY, code::BAD_GATEWAY),
        ] {
            let code = |settings: &dyn Settings| {
                let response = HttpResponse {
                    status,
                    headers: vec![],
                    body: b"{}".to_vec(),
                };
                let failure = RULE.polled(settings, &position.state(), &[], &response);
                failure.expect_err("no success").code
            };
            assert_eq!((code(&[]), code(&LEGACY)), (precise_code, legacy_code));
        }
    }
}
