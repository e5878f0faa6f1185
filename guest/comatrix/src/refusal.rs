//! Answers that say no, until they leave the rule.

use comatrix_sdk::bindings::{Effect, Failure};
use comatrix_sdk::code;
use comatrix_sdk::message::{reply, response};
use comatrix_sdk::payload::Format;

/// Why a device does not get what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Class 4 or 5.
    pub code: u8,
    /// Seconds until another try makes sense.
    pub max_age: Option<u32>,
    /// What the device is told.
    pub content: Content,
}

/// The payload of a [`Refusal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text for a person (RFC 7252 §5.5.2).
    Diagnostic(String),
    /// The homeserver's own error, in the format that the device accepts.
    Error(Format, Vec<u8>),
}

impl Refusal {
    /// With a diagnostic and no Max-Age.
    pub fn new(code: u8, diagnostic: impl Into<String>) -> Refusal {
        Refusal {
            code,
            max_age: None,
            content: Content::Diagnostic(diagnostic.into()),
        }
    }

    /// 4.00: the request itself is wrong.
    pub fn bad_request(diagnostic: impl Into<String>) -> Refusal {
        Refusal::new(code::BAD_REQUEST, diagnostic)
    }

    /// 5.02: the homeserver's answer cannot be used.
    pub fn bad_gateway(diagnostic: impl Into<String>) -> Refusal {
        Refusal::new(code::BAD_GATEWAY, diagnostic)
    }

    /// The same with Max-Age.
    pub fn retry_after(self, seconds: u32) -> Refusal {
        Refusal {
            max_age: Some(seconds),
            ..self
        }
    }

    /// The answer to the device.
    pub fn into_answer(self, errors: Errors) -> Result<Effect, Failure> {
        let code = match errors {
            Errors::Precise => self.code,
            Errors::Legacy => code::BAD_REQUEST,
        };
        match self.content {
            Content::Diagnostic(diagnostic) => Err(Failure {
                code,
                diagnostic,
                max_age: self.max_age,
            }),
            Content::Error(format, payload) => Ok(reply(response(
                code,
                Some(format.number()),
                self.max_age,
                payload,
            ))),
        }
    }
}

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
        assert_eq!(refusal.into_answer(Errors::Legacy), Err(failure));
    }

    #[test]
    fn a_homeserver_error_is_a_reply_with_its_format() {
        let content = Content::Error(Format::Json, b"{}".to_vec());
        let refusal = Refusal {
            code: code::FORBIDDEN,
            max_age: None,
            content,
        };
        let expected = reply(response(code::FORBIDDEN, Some(50), None, b"{}".to_vec()));
        assert_eq!(refusal.into_answer(Errors::Precise), Ok(expected));
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_values_it_may_have() {
        assert!(Errors::parse(Some("old")).is_err_and(|remedy| remedy.contains("legacy")));
        assert_eq!(Errors::parse(None), Ok(Errors::Precise));
    }
}
