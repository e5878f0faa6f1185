//! What a request asks of the message that answers it, apart from what it asks of the resource.

use super::code;
use super::message::Message;
use super::option::{ACCEPT, NO_RESPONSE, content_format};

/// How the answer to a request must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseConstraints {
    /// The classes that the client does not want, as RFC 7967 §2.1 has them: 2 for 2.xx, 8 for 4.xx, 16 for 5.xx.
    unwanted: u8,
    /// Errors as problem details (RFC 9290).
    pub(super) problem_details: bool,
    /// It came to a group: only what is worth it is answered, and not at once (RFC 7252 §8.2).
    pub(super) multicast: bool,
    /// The most bytes that a datagram of the answer may have: the peer's address may be spoofed (RFC 9175 §2.4).
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
            allowance,
        }
    }

    /// Whether this response is kept back. What a client must hear to go on is never: 2.31, 4.08 and 4.13 of a body in blocks
    /// (RFC 7967 §2.1 is about the response to the request, which those are not yet), and a 4.01 with Echo.
    pub(super) fn silences(&self, response: &Message) -> bool {
        let must_hear = matches!(
            response.code,
            code::CONTINUE | code::REQUEST_ENTITY_INCOMPLETE | code::REQUEST_ENTITY_TOO_LARGE
        ) || response.option(super::option::ECHO).is_some();
        let class = code::class(response.code);
        if self.multicast && (class != 2 || response.payload.is_empty()) {
            return true;
        }
        !must_hear && self.unwanted & ((1 << class) >> 1) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::option::ECHO;

    fn silenced(no_response: &[u8], multicast: bool) -> Vec<u8> {
        let request = Message::new(code::POST).with_option(NO_RESPONSE, no_response);
        let terms = ResponseConstraints::of(&request, multicast, usize::MAX);
        [
            code::CONTENT,
            code::CONTINUE,
            code::BAD_REQUEST,
            code::REQUEST_ENTITY_INCOMPLETE,
            code::SERVICE_UNAVAILABLE,
        ]
        .into_iter()
        .filter(|code| terms.silences(&Message::new(*code).with_payload("x")))
        .collect()
    }

    #[test]
    fn each_bit_silences_its_class_but_not_what_blocks_need() {
        assert_eq!(silenced(&[], false), vec![0_u8; 0]);
        assert_eq!(silenced(&[2], false), [code::CONTENT]);
        assert_eq!(silenced(&[8], false), [code::BAD_REQUEST]);
        assert_eq!(silenced(&[16], false), [code::SERVICE_UNAVAILABLE]);
        assert_eq!(
            silenced(&[26], false),
            [code::CONTENT, code::BAD_REQUEST, code::SERVICE_UNAVAILABLE]
        );
        assert_eq!(
            silenced(&[2, 2], false),
            vec![0_u8; 0],
            "a malformed option says nothing"
        );
    }

    #[test]
    fn a_group_is_answered_with_content_only() {
        assert_eq!(
            silenced(&[], true),
            [
                code::BAD_REQUEST,
                code::REQUEST_ENTITY_INCOMPLETE,
                code::SERVICE_UNAVAILABLE
            ]
        );
        let terms = ResponseConstraints::of(&Message::new(code::GET), true, usize::MAX);
        assert!(
            terms.silences(&Message::new(code::CONTENT)),
            "an empty list"
        );
    }

    #[test]
    fn a_challenge_is_heard_whatever_the_client_wants() {
        let request = Message::new(code::POST).with_option(NO_RESPONSE, [26]);
        let terms = ResponseConstraints::of(&request, false, usize::MAX);
        assert!(!terms.silences(&Message::new(code::UNAUTHORIZED).with_option(ECHO, "x")));
    }
}
