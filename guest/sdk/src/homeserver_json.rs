//! The parts of a homeserver's response that a device gets.

use crate::error_response::ErrorResponse;
use crate::extract::{Item, extract};
use crate::json::JsonError;
use crate::text::{concat, decimal};

/// The text in the member `name` of the object `body`: which a 2xx must have. At most `most` bytes.
#[inline(never)]
pub fn text_member(body: &[u8], name: &str, most: usize) -> Result<String, ErrorResponse> {
    let mut member = None;
    extract(body, &[name], &mut |_, item| {
        member = match item {
            Item::Text(text) if text.len() <= most => Some(text.to_owned()),
            _ => None,
        };
    })
    .map_err(not_json)?;
    member.ok_or_else(|| {
        ErrorResponse::bad_gateway(concat(&[
            "the homeserver sent no text ",
            name,
            " of at most ",
            &decimal(most),
            " bytes",
        ]))
    })
}

/// A 2xx that cannot be read.
#[inline(never)]
pub fn not_json(error: JsonError) -> ErrorResponse {
    ErrorResponse::bad_gateway(concat(&["the homeserver's ", &error.diagnostic()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_too_long_or_no_text_is_a_bad_gateway() {
        assert_eq!(
            text_member(br#"{"a":"1234"}"#, "a", 4),
            Ok("1234".to_owned())
        );
        for body in [
            r#"{"a":"12345"}"#,
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"b":"1"}"#,
            "{}",
            "[]",
            "",
            "{\"a\":\"1\"",
        ] {
            let error = text_member(body.as_bytes(), "a", 4).expect_err(body);
            assert_eq!(error.code, crate::code::BAD_GATEWAY);
        }
    }
}
