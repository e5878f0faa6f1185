//! Responses retained for duplicates.

use super::*;
use crate::code::*;
use crate::tests::confirmable;

/// CON, PUT, and option 9, which is critical and has no meaning: five bytes that get 4.02.
fn bad_option(message_id: u16) -> [u8; 5] {
    let [high, low] = message_id.to_be_bytes();
    [0x40, PUT, high, low, 0x90]
}

#[test]
fn thirteen_thousand_errors_of_a_host_leave_the_retained_response_of_another_device() {
    let mut server = Server::new();
    let device = peer(HONEST, 1);
    server.exchange(device, &confirmable(1, PUT));
    server.respond_to_all(&Message::new(CHANGED));
    let first = server.sent_to(device);
    for id in 0..13_000 {
        server.receive_bytes(peer(FLOODING, id % 250), &bad_option(id));
    }
    assert_eq!(server.endpoint.counters().bad_options, 13_000);
    assert_eq!(server.exchange(device, &confirmable(1, PUT)), first);
    assert!(server.incoming().is_none(), "it is not processed again");
}

#[test]
fn errors_of_other_addresses_leave_retained_errors_and_successes_of_a_device() {
    let mut server = Server::new();
    let device = peer(HONEST, 1);
    let mut first = Vec::new();
    for (id, code) in [(1, CHANGED), (2, GATEWAY_TIMEOUT)] {
        server.exchange(device, &confirmable(id, PUT));
        server.respond_to_all(&Message::new(code));
        first.extend(server.sent_to(device));
    }
    for id in 0..13_000 {
        let host = format!("192.0.3.{}", id % 16);
        server.receive_bytes(peer(&host, id / 64), &bad_option(id));
    }
    let mut again = server.exchange(device, &confirmable(1, PUT));
    again.extend(server.exchange(device, &confirmable(2, PUT)));
    assert_eq!(again, first);
    assert!(server.incoming().is_none());
}

#[test]
fn successes_of_a_host_leave_the_retained_response_of_another_device() {
    let mut server = Server::new();
    let device = peer(HONEST, 1);
    server.exchange(device, &confirmable(1, PUT));
    server.respond_to_all(&Message::new(CHANGED));
    let first = server.sent_to(device);
    for id in 0..40_000 {
        server.receive_bytes(peer(FLOODING, id / 60), &encode(&confirmable(id, PUT)));
        server.respond_to_all(&Message::new(CHANGED).with_payload([7; 64]));
        server.sent_to(device);
    }
    assert!(server.endpoint.counters().retained_responses_evicted > 1_000);
    assert_eq!(server.exchange(device, &confirmable(1, PUT)), first);
    assert!(server.incoming().is_none());
}
