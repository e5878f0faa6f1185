//! Any bytes at all, against an endpoint in the middle of its work.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Bytes that often look like CoAP: a header, then anything.
fn datagram_bytes() -> impl Strategy<Value = Vec<u8>> {
    let anything = prop::collection::vec(any::<u8>(), 0..80);
    let plausible = (
        0x40..=0x7fu8,
        any::<u8>(),
        0..4u8,
        prop::collection::vec(any::<u8>(), 0..80),
    )
        .prop_map(|(first, code, message_id, rest)| {
            [&[first & 0xf3, code & 0x87, 0, message_id], rest.as_slice()].concat()
        });
    prop_oneof![1 => anything, 4 => plausible]
}

#[derive(Clone, Debug)]
enum Step {
    Datagram(u16, Vec<u8>),
    Respond(u8, usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3u16, datagram_bytes()).prop_map(|(peer, bytes)| Step::Datagram(peer, bytes)),
        3 => (any::<u8>(), 0..3_000usize).prop_map(|(code, length)| Step::Respond(code, length)),
        1 => (0..100_000u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_sequence_of_bytes_and_responses_panics_or_leaves_state(steps in steps()) {
        let mut server = Server::new();
        let mut owed = Vec::new();
        for step in steps {
            match step {
                Step::Datagram(peer, bytes) => server.endpoint.handle_datagram(server.now, peer, &bytes),
                Step::Respond(code, length) => {
                    if let Some(id) = owed.pop() {
                        server.respond(id, Message::new(code).with_payload(vec![code; length]));
                    }
                }
                Step::Wait(milliseconds) => server.advance(Duration::from_millis(milliseconds)),
            }
            owed.extend(std::iter::from_fn(|| server.endpoint.poll_request()).map(|incoming| incoming.id));
            server.sent();
        }
        for id in owed {
            server.respond(id, changed());
        }
        server.advance(Duration::from_secs(400));
        server.sent();
        prop_assert_eq!(server.endpoint.state_left(), 0);
        prop_assert_eq!(server.endpoint.next_timeout(), None);
    }
}
