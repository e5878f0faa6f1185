//! Answers that say no, as the operator wants them to be told.

use comatrix_sdk::bindings::{Effect, Failure};
use comatrix_sdk::code;
pub use comatrix_sdk::refusal::Refusal;
use comatrix_sdk::settings::Settings;

/// The setting `errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// Each failure has its own code.
    Precise,
    /// Every failure is 4.00, as the gateway of 2021 answered, for devices that test for that code.
    Legacy,
}

impl Errors {
    /// Reads the setting; the error says what it may be.
    pub fn parse(setting: Option<&str>) -> Result<Errors, String> {
        match setting {
            None | Some("precise") => Ok(Errors::Precise),
            Some("legacy") => Ok(Errors::Legacy),
            Some(other) => Err(format!(
                "the setting errors = \"{other}\" is unknown; set it to precise or legacy"
            )),
        }
    }

    /// The setting, which `describe` has refused if it cannot be read.
    pub fn of(settings: &dyn Settings) -> Errors {
        Errors::parse(settings.get("errors")).unwrap_or(Errors::Precise)
    }

    /// What ends a poll, as a failure. One that the gateway follows by another poll reaches no device and keeps its code.
    pub fn failure(self, refusal: Refusal) -> Failure {
        let failure = refusal.into_failure();
        match failure.code {
            code::TOO_MANY_REQUESTS => failure,
            client_error if self == Errors::Legacy && client_error >> 5 == 4 => Failure {
                code: code::BAD_REQUEST,
                ..failure
            },
            _ => failure,
        }
    }

    /// The answer to the device.
    pub fn answer(self, mut refusal: Refusal) -> Result<Effect, Failure> {
        if self == Errors::Legacy {
            refusal.code = code::BAD_REQUEST;
        }
        refusal.into_answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_errors_are_all_4_00_and_keep_their_text() {
        let refusal = Refusal::new(code::GATEWAY_TIMEOUT, "late").retry_after(5);
        let failure = Failure {
            code: code::BAD_REQUEST,
            diagnostic: "late".to_owned(),
            max_age: Some(5),
        };
        assert_eq!(Errors::Legacy.answer(refusal), Err(failure));
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_values_it_may_have() {
        assert!(Errors::parse(Some("old")).is_err_and(|remedy| remedy.contains("legacy")));
        assert_eq!(Errors::parse(None), Ok(Errors::Precise));
    }
}
