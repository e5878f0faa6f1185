//! Error responses (RFC 7252 §5.9.2, §5.9.3), until they leave the rule.

use crate::bindings::{Effect, Failure};
use crate::code;
use crate::message::{reply, response};
use crate::payload::Format;

/// Bytes of a diagnostic: with header, token and options it fits a datagram of 128 bytes, the default of small stacks.
pub const MAX_DIAGNOSTIC: usize = 100;

/// An error response to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// Class 4 or 5.
    pub code: u8,
    /// Seconds until another try makes sense.
    pub max_age: Option<u32>,
    /// The payload.
    pub content: Content,
}

/// The payload of an [`ErrorResponse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text for a person (RFC 7252 §5.5.2): ASCII, since small displays have nothing else.
    Diagnostic(String),
    /// The homeserver's own error, in the format that the device accepts.
    Error(Format, Vec<u8>),
}

impl ErrorResponse {
    /// With a diagnostic and no Max-Age. The diagnostic is cut at [`MAX_DIAGNOSTIC`] bytes, and other characters than
    /// those of printable ASCII become `?`. Write the remedy into its first 64 bytes.
    pub fn new(code: u8, diagnostic: impl Into<String>) -> ErrorResponse {
        ErrorResponse {
            code,
            max_age: None,
            content: Content::Diagnostic(printable(diagnostic.into())),
        }
    }

    /// 4.00: the request itself is wrong.
    pub fn bad_request(diagnostic: impl Into<String>) -> ErrorResponse {
        ErrorResponse::new(code::BAD_REQUEST, diagnostic)
    }

    /// 5.02: the homeserver's response cannot be used.
    pub fn bad_gateway(diagnostic: impl Into<String>) -> ErrorResponse {
        ErrorResponse::new(code::BAD_GATEWAY, diagnostic)
    }

    /// 4.04: there is no such thing.
    pub fn not_found(diagnostic: impl Into<String>) -> ErrorResponse {
        ErrorResponse::new(code::NOT_FOUND, diagnostic)
    }

    /// 5.00: the rule itself is wrong.
    pub fn internal(diagnostic: impl Into<String>) -> ErrorResponse {
        ErrorResponse::new(code::INTERNAL_SERVER_ERROR, diagnostic)
    }

    /// With this Max-Age.
    pub fn retry_after(self, seconds: u32) -> ErrorResponse {
        ErrorResponse {
            max_age: Some(seconds),
            ..self
        }
    }

    /// For a call that no device waits for: the homeserver's own error becomes the diagnostic.
    pub fn into_failure(self) -> Failure {
        Failure {
            code: self.code,
            diagnostic: match self.content {
                Content::Diagnostic(diagnostic) => diagnostic,
                // CBOR is no text.
                Content::Error(_, payload) => {
                    printable(String::from_utf8(payload).unwrap_or_default())
                }
            },
            max_age: self.max_age,
        }
    }

    /// The effect that ends the exchange with it.
    pub fn into_effect(self) -> Result<Effect, Failure> {
        match self.content {
            Content::Diagnostic(diagnostic) => Err(Failure {
                code: self.code,
                diagnostic,
                max_age: self.max_age,
            }),
            Content::Error(format, payload) => Ok(reply(response(
                self.code,
                Some(format.number()),
                self.max_age,
                payload,
            ))),
        }
    }
}

/// Byte by byte and not inlined: each error of a rule passes here, and a component is compiled for size.
#[inline(never)]
fn printable(text: String) -> String {
    let mut bytes = text.into_bytes();
    let mut kept = 0;
    for at in 0..bytes.len() {
        let byte = match bytes[at] {
            byte @ b' '..=b'~' => byte,
            // Of a character of several bytes the first one counts.
            0x80..=0xbf => continue,
            _ => b'?',
        };
        if kept < MAX_DIAGNOSTIC {
            bytes[kept] = byte;
            kept += 1;
        }
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_is_printable_ascii_of_at_most_100_bytes() {
        for (text, expected) in [
            ("room caf\u{e9}\n: unknown", "room caf??: unknown"),
            (&"\u{1f331}".repeat(101), &"?".repeat(100)),
            (&"x".repeat(101), &"x".repeat(100)),
        ] {
            let failure = ErrorResponse::not_found(text).into_failure();
            assert_eq!(failure.diagnostic, expected);
        }
    }

    #[test]
    fn a_homeserver_error_is_a_reply_with_its_format() {
        let content = Content::Error(Format::Json, b"{}".to_vec());
        let error = ErrorResponse {
            code: code::FORBIDDEN,
            max_age: None,
            content,
        };
        let expected = reply(response(code::FORBIDDEN, Some(50), None, b"{}".to_vec()));
        assert_eq!(error.into_effect(), Ok(expected));
    }

    #[test]
    fn a_homeserver_error_is_the_diagnostic_of_a_failure() {
        let error = ErrorResponse {
            code: code::TOO_MANY_REQUESTS,
            max_age: Some(3),
            content: Content::Error(Format::Json, br#"{"errcode":"M"}"#.to_vec()),
        };
        let failure = Failure {
            code: code::TOO_MANY_REQUESTS,
            diagnostic: r#"{"errcode":"M"}"#.to_owned(),
            max_age: Some(3),
        };
        assert_eq!(error.into_failure(), failure);
    }

    #[test]
    fn a_diagnostic_is_a_failure_with_its_max_age() {
        let failure = Failure {
            code: code::GATEWAY_TIMEOUT,
            diagnostic: "late".to_owned(),
            max_age: Some(5),
        };
        let error = ErrorResponse::new(code::GATEWAY_TIMEOUT, "late").retry_after(5);
        assert_eq!(error.into_effect(), Err(failure));
    }
}
