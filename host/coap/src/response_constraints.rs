//! The demands of a request on the message of its response, apart from those on the resource.

use crate::code;
use crate::message::Message;
use crate::option::{ACCEPT, NO_RESPONSE, SIZE1, content_format};

/// The highest option number that the parsers of all usual stacks accept: Size1.
const HIGHEST_OF_ALL_STACKS: u16 = SIZE1;

/// Constraints of the response to a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseConstraints {
    /// Classes that the client does not want, as bits of RFC 7967 §2.1: 2 for 2.xx, 8 for 4.xx, 16 for 5.xx.
    unwanted: u8,
    /// Errors as problem details (RFC 9290).
    pub(super) problem_details: bool,
    /// The request came to a group: only a success with a payload is sent, and not at once (RFC 7252 §8.2).
    pub(super) multicast: bool,
    /// Whether the client may get an option above 60: its request has one. Some stacks reject a message with such an
    /// option, although it is elective (Contiki-NG, mbed-coap).
    pub(super) high_options: bool,
    /// The most bytes of a datagram, because the peer's address may be spoofed (RFC 9175 §2.4).
    pub(super) allowance: usize,
}

impl ResponseConstraints {
    pub(super) fn of(request: &Message, multicast: bool, allowance: usize) -> Self {
        let unwanted = request.option(NO_RESPONSE).unwrap_or_default();
        let accept = request.uint_option(ACCEPT);
        Self {
            unwanted: match unwanted {
                [classes] => *classes,
                _ => 0,
            },
            problem_details: accept == Some(content_format::PROBLEM_DETAILS.into()),
            multicast,
            high_options: request
                .options
                .last()
                .is_some_and(|option| option.number > HIGHEST_OF_ALL_STACKS),
            allowance,
        }
    }

    /// Leaves room for the bytes that protection adds.
    pub(super) fn reserve(&mut self, bytes: usize) {
        if self.allowance != usize::MAX {
            self.allowance = self.allowance.saturating_sub(bytes);
        }
    }

    /// Whether this response is not sent. A client needs 2.31, 4.08 and 4.13 to continue a body in blocks (RFC 7967
    /// §2.1 is about the final response), and 4.01 with Echo to repeat its request, so these are always sent.
    pub(super) fn suppresses(&self, response: &Message) -> bool {
        let is_needed = matches!(
            response.code,
            code::CONTINUE | code::REQUEST_ENTITY_INCOMPLETE | code::REQUEST_ENTITY_TOO_LARGE
        ) || response.option(super::option::ECHO).is_some();
        let class = code::class(response.code);
        if self.multicast && (class != 2 || response.payload.is_empty()) {
            return true;
        }
        !is_needed && self.unwanted & ((1 << class) >> 1) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::option::ECHO;

    fn suppressed(no_response: &[u8], multicast: bool) -> Vec<u8> {
        let request = Message::new(code::POST).with_option(NO_RESPONSE, no_response);
        let constraints = ResponseConstraints::of(&request, multicast, usize::MAX);
        [
            code::CONTENT,
            code::CONTINUE,
            code::BAD_REQUEST,
            code::REQUEST_ENTITY_INCOMPLETE,
            code::SERVICE_UNAVAILABLE,
        ]
        .into_iter()
        .filter(|code| constraints.suppresses(&Message::new(*code).with_payload("x")))
        .collect()
    }

    #[test]
    fn each_bit_suppresses_its_class_but_not_the_codes_that_blocks_need() {
        assert_eq!(suppressed(&[], false), vec![0_u8; 0]);
        assert_eq!(suppressed(&[2], false), [code::CONTENT]);
        assert_eq!(suppressed(&[8], false), [code::BAD_REQUEST]);
        assert_eq!(suppressed(&[16], false), [code::SERVICE_UNAVAILABLE]);
        assert_eq!(
            suppressed(&[26], false),
            [code::CONTENT, code::BAD_REQUEST, code::SERVICE_UNAVAILABLE]
        );
        assert_eq!(
            suppressed(&[2, 2], false),
            vec![0_u8; 0],
            "a malformed option says nothing"
        );
    }

    #[test]
    fn a_group_gets_content_only() {
        assert_eq!(
            suppressed(&[], true),
            [
                code::BAD_REQUEST,
                code::REQUEST_ENTITY_INCOMPLETE,
                code::SERVICE_UNAVAILABLE
            ]
        );
        let constraints = ResponseConstraints::of(&Message::new(code::GET), true, usize::MAX);
        assert!(
            constraints.suppresses(&Message::new(code::CONTENT)),
            "an empty list"
        );
    }

    #[test]
    fn a_challenge_is_sent_whatever_the_client_wants() {
        let request = Message::new(code::POST).with_option(NO_RESPONSE, [26]);
        let constraints = ResponseConstraints::of(&request, false, usize::MAX);
        assert!(!constraints.suppresses(&Message::new(code::UNAUTHORIZED).with_option(ECHO, "x")));
    }
}
