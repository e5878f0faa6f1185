//! Messages with more options than the endpoint reads: refused in the borrowed bytes, before any copy.

use proptest::prelude::*;

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::*;
use crate::{DecodeError, MAX_OPTION_BYTES, MAX_OPTIONS, OptionExcess};

const UNKNOWN_ELECTIVE: u16 = 2076;

/// A message whose options are this number of copies. Written by hand: `encode` would take minutes.
fn with_copies(
    message_type: MessageType,
    code: u8,
    number: u16,
    value: &[u8],
    count: usize,
) -> Vec<u8> {
    let mut datagram = Datagram::empty(message_type, 7);
    datagram.message = Message::new(code).with_option(number, value);
    let mut bytes = encode(&datagram);
    let repeated = Message::new(code).with_option(0, value);
    let copy = encode(&Datagram {
        message: repeated,
        ..datagram
    })
    .split_off(4);
    (1..count).for_each(|_| bytes.extend_from_slice(&copy));
    bytes
}

fn excess(bytes: &[u8]) -> Option<OptionExcess> {
    match decode(bytes) {
        Err(DecodeError::ExcessiveOptions { excess, .. }) => Some(excess),
        _ => None,
    }
}

/// What the endpoint sends for these bytes of an unproven peer.
fn sent_for(bytes: &[u8]) -> (Server, Vec<Vec<u8>>) {
    let mut server = Server::with_limits(Limits::default());
    server.endpoint.handle_datagram(server.now, 1, bytes);
    assert!(server.endpoint.poll_request().is_none());
    assert_eq!(server.endpoint.counters().excessive_options, 1);
    let sent = server.sent_bytes();
    assert_eq!(server.endpoint.state_left(), 0);
    (server, sent)
}

#[test]
fn thirty_two_thousand_etags_of_one_byte_are_dropped_silently_in_a_non_confirmable_get() {
    let bytes = with_copies(MessageType::NonConfirmable, GET, ETAG, b"a", 32_000);
    assert_eq!(sent_for(&bytes).1, Vec::<Vec<u8>>::new());
}

#[test]
fn sixty_thousand_empty_elective_options_get_4_02_that_says_the_bound() {
    let bytes = with_copies(MessageType::Confirmable, GET, UNKNOWN_ELECTIVE, b"", 60_000);
    let (server, sent) = sent_for(&bytes);
    let response = decode(&sent[0]).expect("own");
    assert_eq!(response.message_type, MessageType::Acknowledgement);
    assert_eq!(
        (response.message_id, response.message.code),
        (7, BAD_OPTION)
    );
    let text = String::from_utf8(response.message.payload).expect("text");
    assert!(text.contains("64 options"), "{text}");
    assert_eq!(server.endpoint.latest_refusal(), Some((&1, BAD_OPTION)));
}

#[test]
fn the_last_block_of_a_put_with_sixty_thousand_options_is_refused_and_the_upload_goes_on() {
    let mut server = Server::new();
    let block = |number, more| Block {
        number,
        more,
        size_exponent: 6,
    };
    let mut first = confirmable(1, PUT);
    first.message.push_option(BLOCK1, block(0, true).encode());
    first.message.payload = vec![b'a'; 1_024];
    assert_eq!(server.response_to(&first).message.code, CONTINUE);

    let mut last = confirmable(2, PUT);
    last.message.push_option(BLOCK1, block(1, false).encode());
    let mut excessive = last.clone();
    excessive.message.push_option(UNKNOWN_ELECTIVE, "");
    let mut bytes = encode(&excessive);
    bytes.resize(bytes.len() + 60_000, 0);
    bytes.extend(b"\xffthe end");
    server.endpoint.handle_datagram(server.now, 1, &bytes);
    assert_eq!(server.sent_one().message.code, BAD_OPTION);
    assert!(server.endpoint.poll_request().is_none());

    last.message_id = 3;
    last.message.payload = b"the end".to_vec();
    server.receive(1, &last);
    assert_eq!(server.incoming().request.message.payload.len(), 1_024 + 7);
}

#[test]
fn sixty_four_options_pass_and_sixty_five_do_not() {
    for (count, expected) in [
        (MAX_OPTIONS, None),
        (MAX_OPTIONS + 1, Some(OptionExcess::Number)),
    ] {
        let bytes = with_copies(MessageType::Confirmable, GET, URI_PATH, b"a", count);
        assert_eq!(excess(&bytes), expected);
        // The bytes of a payload are no options.
        let with_payload = [bytes.as_slice(), b"\xff", &[0; 1_000]].concat();
        assert_eq!(excess(&with_payload), expected);
    }
    let mut server = Server::new();
    let bytes = with_copies(MessageType::Confirmable, GET, URI_PATH, b"a", MAX_OPTIONS);
    server.endpoint.handle_datagram(server.now, 1, &bytes);
    assert_eq!(server.incoming().request.message.options.len(), MAX_OPTIONS);
}

#[test]
fn four_kibibytes_of_options_pass_and_one_byte_more_does_not() {
    for (length, expected) in [
        (MAX_OPTION_BYTES, None),
        (MAX_OPTION_BYTES + 1, Some(OptionExcess::Bytes)),
        (60_000, Some(OptionExcess::Bytes)),
    ] {
        let parts = [ACCESS_TOKEN, UNKNOWN_ELECTIVE].map(|number| {
            Message::new(GET).with_option(
                number,
                vec![b'a'; length / 2 + length % 2 * usize::from(number == ACCESS_TOKEN)],
            )
        });
        let mut datagram = confirmable(1, GET);
        datagram.message.options = parts.into_iter().flat_map(|part| part.options).collect();
        assert_eq!(excess(&encode(&datagram)), expected, "{length}");
    }
}

#[test]
fn acknowledgements_resets_and_groups_get_nothing_and_a_confirmable_response_is_reset() {
    for message_type in [MessageType::Acknowledgement, MessageType::Reset] {
        let bytes = with_copies(message_type, CONTENT, ETAG, b"a", 65);
        assert!(sent_for(&bytes).1.is_empty());
    }
    let bytes = with_copies(MessageType::Confirmable, CONTENT, ETAG, b"a", 65);
    let reset = Datagram::empty(MessageType::Reset, 7);
    assert_eq!(sent_for(&bytes).1, [encode(&reset)]);

    let mut server = Server::new();
    let bytes = with_copies(MessageType::NonConfirmable, GET, ETAG, b"a", 65);
    server.endpoint.handle_multicast(server.now, 1, &bytes);
    assert!(server.sent().is_empty() && server.endpoint.poll_request().is_none());
}

#[test]
fn refusals_have_a_rate_and_stay_within_three_times_the_bytes() {
    let mut server = Server::with_limits(Limits {
        resets_per_second: 20,
        ..Limits::default()
    });
    let bytes = with_copies(MessageType::Confirmable, PUT, UNKNOWN_ELECTIVE, b"", 65);
    for peer in 0..100 {
        server.endpoint.handle_datagram(server.now, peer, &bytes);
        // A duplicate leaves no state and is judged like the first.
        server.endpoint.handle_datagram(server.now, peer, &bytes);
    }
    let sent = server.sent_bytes();
    assert_eq!(sent.len(), 20);
    assert!(sent.iter().all(|sent| sent.len() <= 3 * bytes.len()));
    let counters = server.endpoint.counters();
    assert_eq!(
        (counters.excessive_options, counters.resets_withheld),
        (200, 180)
    );
    assert_eq!(server.endpoint.state_left(), 0);
}

#[test]
fn a_response_with_more_options_than_a_client_reads_becomes_an_internal_error() {
    let mut response = Message::new(CONTENT);
    (0..MAX_OPTIONS).for_each(|_| response.push_option(ETAG, "a"));
    let sent = Server::new()
        .exchange(&confirmable(1, GET), response)
        .message;
    assert_eq!(sent.code, INTERNAL_SERVER_ERROR);
}

proptest! {
    #[test]
    fn no_bytes_give_more_options_or_larger_ones_than_the_bounds(
        head in prop::collection::vec(any::<u8>(), 0..12),
        unit in prop::collection::vec(any::<u8>(), 1..40),
        times in 0..5_000usize,
    ) {
        let bytes = [[0x40, 0x01, 0, 1].as_slice(), &head, &unit.repeat(times)].concat();
        if let Ok(datagram) = decode(&bytes) {
            let options = &datagram.message.options;
            prop_assert!(options.len() <= MAX_OPTIONS && options.capacity() <= MAX_OPTIONS);
            let total: usize = options.iter().map(|option| option.value.capacity()).sum();
            prop_assert!(total <= MAX_OPTION_BYTES);
            prop_assert!(datagram.message.payload.capacity() <= bytes.len());
        }
    }

    /// The check in the borrowed bytes reads options as the decoder does.
    #[test]
    fn a_message_within_the_bounds_is_never_refused_for_them(
        lengths in prop::collection::vec((0..400u16, 0..300usize), 0..80),
    ) {
        let mut message = Message::new(GET);
        for (number, length) in &lengths {
            message.push_option(*number, vec![0xff; *length]);
        }
        let total: usize = lengths.iter().map(|(_, length)| length).sum();
        let mut datagram = Datagram::empty(MessageType::Confirmable, 7);
        datagram.message = message;
        let is_excessive = lengths.len() > MAX_OPTIONS || total > MAX_OPTION_BYTES;
        prop_assert_eq!(excess(&encode(&datagram)).is_some(), is_excessive);
    }
}
