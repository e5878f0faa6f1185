//! Datagrams of some peers, responses of the caller and time, against the endpoint. It must not panic, exceed its
//! limits, send bytes that are no message, or keep state for ever.
#![no_main]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use comatrix_coap::{Endpoint, Limits, Message, decode};
use comatrix_fuzz::steps::{self, Step};
use libfuzzer_sys::fuzz_target;

/// Small limits, so that they are reached.
fn limits() -> Limits {
    Limits {
        request_body: 4_096,
        response_body: 8_192,
        exchanges_per_peer: 4,
        exchanges: 8,
        retained_responses_per_peer: 8,
        retained_response_bytes: 16_384,
        body_bytes: 32_768,
        ..Limits::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let limits = limits();
    let mut endpoint = Endpoint::<u8>::new(limits.clone(), [7; 16]);
    let mut now = Instant::now();
    let mut owed = VecDeque::new();
    let settle = |endpoint: &mut Endpoint<u8>, owed: &mut VecDeque<_>| {
        while let Some(incoming) = endpoint.poll_request() {
            assert!(incoming.request.message.payload.len() <= limits.request_body);
            owed.push_back(incoming.id);
        }
        while let Some(transmit) = endpoint.poll_transmit() {
            assert!(decode(&transmit.bytes).is_ok(), "{:02x?}", transmit.bytes);
            assert!(transmit.bytes.len() <= 1_024 + limits.response_options + 64);
        }
        // Beside the exchanges, one ping toward each peer whose address is not proven (RFC 7252 §4.3).
        assert!(endpoint.in_flight() <= limits.exchanges + usize::from(steps::PEERS));
    };
    for step in steps::read(bytes) {
        match step {
            Step::Datagram(peer, datagram) => endpoint.handle_datagram(now, peer, datagram),
            Step::Wait(duration) => {
                let end = now + duration;
                while let Some(due) = endpoint.next_timeout().filter(|due| *due <= end) {
                    now = now.max(due);
                    endpoint.handle_timeout(now);
                    settle(&mut endpoint, &mut owed);
                }
                now = end;
            }
            Step::Respond(code, length) => {
                if let Some(id) = owed.pop_front() {
                    let payload = vec![code; length % 10_000];
                    endpoint.respond(now, id, Message::new(code).with_payload(payload));
                }
            }
        }
        settle(&mut endpoint, &mut owed);
    }
    for id in std::mem::take(&mut owed) {
        endpoint.respond(now, id, Message::new(0x44));
    }
    settle(&mut endpoint, &mut owed);
    let end = now + Duration::from_secs(1_000);
    while let Some(due) = endpoint.next_timeout().filter(|due| *due <= end) {
        now = now.max(due);
        endpoint.handle_timeout(now);
        settle(&mut endpoint, &mut owed);
    }
    assert_eq!((endpoint.in_flight(), endpoint.next_timeout()), (0, None));
});
