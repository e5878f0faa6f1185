//! Every option number that a device may send, known or not (RFC 7252 §5.4.1): a critical one that is not understood is
//! refused with 4.02, or silence for a NON; an elective one is ignored and reaches the caller.

use super::*;
use crate::code::{BAD_OPTION, GET};
use crate::option::*;

/// Options that this endpoint understands in requests: those of its own, and those that its caller reads.
const UNDERSTOOD: [u16; 22] = [
    IF_MATCH,
    URI_HOST,
    ETAG,
    IF_NONE_MATCH,
    OBSERVE,
    URI_PORT,
    URI_PATH,
    CONTENT_FORMAT,
    MAX_AGE,
    URI_QUERY,
    HOP_LIMIT,
    ACCEPT,
    BLOCK2,
    BLOCK1,
    SIZE2,
    PROXY_URI,
    PROXY_SCHEME,
    SIZE1,
    ECHO,
    ACCESS_TOKEN,
    NO_RESPONSE,
    REQUEST_TAG,
];

/// 0 to 300, then neighbours of every length of the delta's extension, powers of two, and the last ones.
fn numbers() -> impl Iterator<Item = u16> {
    let beyond = [
        511, 512, 524, 525, 1_023, 2_048, 2_049, 4_095, 4_096, 32_767, 32_768, 64_999, 65_000,
        65_001,
    ];
    (0..=300).chain(beyond).chain(65_533..=65_535)
}

fn with_option(message_type: MessageType, number: u16, value: &[u8]) -> Datagram {
    let mut datagram = request(message_type, number, GET);
    datagram.message.push_option(number, value);
    datagram
}

#[test]
fn an_unknown_critical_option_is_4_02_for_a_con_and_silence_for_a_non() {
    for number in numbers().filter(|number| is_critical(*number) && !UNDERSTOOD.contains(number)) {
        let mut server = Server::new();
        let response = server.response_to(&with_option(MessageType::Confirmable, number, b"?"));
        assert_eq!(
            (response.message_type, response.message.code),
            (MessageType::Acknowledgement, BAD_OPTION),
            "{number}"
        );
        let text = String::from_utf8_lossy(&response.message.payload).into_owned();
        assert!(text.contains(&number.to_string()), "{number}: {text}");
        server.receive(1, &with_option(MessageType::NonConfirmable, number, b"?"));
        assert_eq!(server.sent(), [], "{number}");
        assert!(server.endpoint.poll_request().is_none(), "{number}");
        assert_eq!(server.endpoint.counters().bad_options, 2, "{number}");
    }
}

#[test]
fn an_unknown_elective_option_is_ignored_and_left_for_the_caller() {
    for number in numbers().filter(|number| !is_critical(*number) && !UNDERSTOOD.contains(number)) {
        for message_type in [MessageType::Confirmable, MessageType::NonConfirmable] {
            let mut server = Server::new();
            server.receive(1, &with_option(message_type, number, b"?"));
            let incoming = server.incoming();
            assert_eq!(
                incoming.request.message.option(number),
                Some(b"?".as_slice()),
                "{number}"
            );
            assert_eq!(server.endpoint.counters().bad_options, 0, "{number}");
        }
    }
}

#[test]
fn an_option_of_any_length_is_understood_ignored_or_refused_and_never_fails() {
    let lengths = [
        0, 1, 2, 3, 4, 5, 8, 9, 12, 13, 14, 40, 41, 255, 256, 268, 269, 270, 1_034, 1_035,
    ];
    for number in UNDERSTOOD {
        for length in lengths {
            let mut server = Server::new();
            server.receive(
                1,
                &with_option(MessageType::Confirmable, number, &vec![0; length]),
            );
            let mut responses = server.sent();
            if let Some(incoming) = server.endpoint.poll_request() {
                server.respond(incoming.id, changed());
                responses = server.sent();
            }
            let [response] = responses.as_slice() else {
                panic!("option {number} of {length} bytes: {responses:?}")
            };
            let refused = response.message.code == BAD_OPTION;
            assert!(
                !refused || is_critical(number),
                "option {number} of {length} bytes"
            );
        }
    }
}
