//! Concise problem details (RFC 9290): an error as a CBOR map, for a client whose Accept asks for it.

use ciborium::Value;

use crate::code::{self, Dotted};
use crate::message::Message;
use crate::option::{CONTENT_FORMAT, content_format};

/// Keys of the map (RFC 9290 §2).
const TITLE: i8 = -1;
const DETAIL: i8 = -2;
const RESPONSE_CODE: i8 = -4;

/// Converts an error with a diagnostic payload to problem details. Does not change other messages.
pub(super) fn from_diagnostic(mut response: Message) -> Message {
    let is_diagnostic = matches!(code::class(response.code), 4 | 5)
        && response.option(CONTENT_FORMAT).is_none()
        && response.option(super::option::ECHO).is_none();
    if !is_diagnostic {
        return response;
    }
    let key = |key: i8| Value::from(key);
    let mut details = vec![(key(TITLE), Value::from(title(response.code)))];
    if let Ok(detail) = std::str::from_utf8(&response.payload)
        && !detail.is_empty()
    {
        details.push((key(DETAIL), Value::from(detail)));
    }
    details.push((key(RESPONSE_CODE), Value::from(response.code)));
    let mut payload = Vec::new();
    if ciborium::into_writer(&Value::Map(details), &mut payload).is_ok() {
        response.payload = payload;
        response.set_uint_option(CONTENT_FORMAT, content_format::PROBLEM_DETAILS.into());
    }
    response
}

/// The name of the code, or its digits.
fn title(code: u8) -> String {
    code::name(code).map_or_else(|| Dotted(code).to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::option::{ETAG, MAX_AGE};

    #[test]
    fn a_diagnostic_becomes_a_map_of_title_detail_and_code() {
        let error = Message::diagnostic(code::NOT_FOUND, "no").with_uint_option(MAX_AGE, 5);
        let details = from_diagnostic(error);
        // RFC 9290 §2: {-1: "Not Found", -2: "no", -4: 132}, in CBOR's diagnostic notation.
        let expected = [
            b"\xa3\x20\x69Not Found".as_slice(),
            b"\x21\x62no",
            b"\x23\x18\x84",
        ]
        .concat();
        assert_eq!(details.payload, expected);
        assert_eq!(details.uint_option(CONTENT_FORMAT), Some(257));
        assert_eq!(details.uint_option(MAX_AGE), Some(5));
    }

    #[test]
    fn an_error_without_a_diagnostic_has_no_detail() {
        let details = from_diagnostic(Message::new(code::code(4, 31)));
        assert_eq!(details.payload, b"\xa2\x20\x644.31\x23\x18\x9f");
    }

    #[test]
    fn successes_and_errors_in_a_format_of_their_own_stay_as_they_are() {
        for message in [
            Message::new(code::CONTENT).with_payload("text"),
            Message::new(code::NOT_FOUND)
                .with_uint_option(CONTENT_FORMAT, 60)
                .with_payload([0xa0]),
            Message::new(code::VALID).with_option(ETAG, "x"),
        ] {
            assert_eq!(from_diagnostic(message.clone()), message);
        }
    }
}
