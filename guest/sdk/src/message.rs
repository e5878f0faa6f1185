//! CoAP messages: the options that rules read, and the responses they make.

use crate::bindings::{CoapOption, Effect, Failure, Message, Reply};

/// Observe (RFC 7641 §2).
pub const OBSERVE: u16 = 6;
/// Content-Format (RFC 7252 §5.10.3).
pub const CONTENT_FORMAT: u16 = 12;
/// Max-Age (RFC 7252 §5.10.5), in seconds.
pub const MAX_AGE: u16 = 14;
/// Uri-Query (RFC 7252 §5.10.1).
pub const URI_QUERY: u16 = 15;
/// Accept (RFC 7252 §5.10.4).
pub const ACCEPT: u16 = 17;

/// The value of a uint option (RFC 7252 §3.2): the first with this number. None if it is absent or longer than the
/// four bytes that the formats and times of this module have.
pub fn uint_option(options: &[CoapOption], number: u16) -> Option<u32> {
    let option = options.iter().find(|option| option.number == number)?;
    (option.value.len() <= 4).then(|| {
        option
            .value
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte))
    })
}

/// An option with a uint value, in the fewest bytes (RFC 7252 §3.2).
pub fn uint(number: u16, value: u32) -> CoapOption {
    let unused = value.leading_zeros() as usize / 8;
    CoapOption {
        number,
        value: value.to_be_bytes()[unused..].to_vec(),
    }
}

/// A message with the options that responses have; `max_age` in seconds, absent means 60 (RFC 7252 §5.10.5).
pub fn response(
    code: u8,
    content_format: Option<u16>,
    max_age: Option<u32>,
    payload: Vec<u8>,
) -> Message {
    let content_format = content_format.map(|number| uint(CONTENT_FORMAT, number.into()));
    let max_age = max_age.map(|seconds| uint(MAX_AGE, seconds));
    Message {
        code,
        options: content_format.into_iter().chain(max_age).collect(),
        payload,
    }
}

/// Whether the response may start an observation. The gateway leaves Observe in a request only where it would.
pub fn observes(request: &Message) -> bool {
    request
        .options
        .iter()
        .any(|option| option.number == OBSERVE)
}

/// The response to the device, which ends the exchange.
pub fn reply(message: Message) -> Effect {
    Effect::Reply(Reply {
        message,
        session: None,
        watch: None,
    })
}

/// An error response with a diagnostic for a person: the error, and its place (RFC 7252 §5.5.2).
pub fn failure(code: u8, diagnostic: impl Into<String>) -> Failure {
    Failure {
        code,
        diagnostic: diagnostic.into(),
        max_age: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uint_options_take_the_fewest_bytes_and_are_read_with_leading_zeros() {
        for (value, bytes) in [
            (0, vec![]),
            (60, vec![60]),
            (256, vec![1, 0]),
            (u32::MAX, vec![0xff; 4]),
        ] {
            let option = uint(MAX_AGE, value);
            assert_eq!(option.value, bytes);
            assert_eq!(uint_option(&[option], MAX_AGE), Some(value));
        }
        let padded = CoapOption {
            number: ACCEPT,
            value: vec![0, 0, 50],
        };
        assert_eq!(uint_option(&[padded], ACCEPT), Some(50));
    }

    #[test]
    fn an_absent_or_overlong_option_is_none() {
        let long = CoapOption {
            number: ACCEPT,
            value: vec![0; 5],
        };
        assert_eq!(uint_option(&[long], ACCEPT), None);
        assert_eq!(uint_option(&[], ACCEPT), None);
    }

    #[test]
    fn options_of_a_response_are_in_ascending_order() {
        let message = response(0x45, Some(0), Some(0), Vec::new());
        let numbers: Vec<_> = message.options.iter().map(|option| option.number).collect();
        assert_eq!(numbers, [CONTENT_FORMAT, MAX_AGE]);
    }
}
