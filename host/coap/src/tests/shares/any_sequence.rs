//! The account over any sequence of messages: within the bounds, and zero at the end.

use proptest::prelude::*;

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::{BLOCK1, OBSERVE, REQUEST_TAG};
use crate::{HeldInAll, MessageType, ObservationId, Token};

/// Few bytes, so that every bound is reached.
fn tight() -> Limits {
    Limits {
        held_bytes: 128 * 1024,
        retained_response_bytes: 16 * 1024,
        body_bytes: 64 * 1024,
        request_body: 4 * 1024,
        response_body: 4 * 1024,
        exchanges: 40,
        exchanges_per_peer: 4,
        observations: 24,
        observations_per_peer: 2,
        multicast_responses: 20,
        datagrams_per_second_per_peer: 0,
        ..Limits::default()
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// From a peer: method, message type, message ID, bytes of payload, Observe, whether to a group.
    Request(u8, u8, bool, u16, usize, Option<u32>, bool),
    /// A block of a body.
    Block(u8, u16, u32, bool),
    /// The oldest request gets a response of so many bytes.
    Respond(bool, usize),
    /// An observer is notified.
    Notify(usize, usize),
    /// A peer acknowledges or resets what was sent to it last.
    Receive(bool),
    Wait(u64),
    Networks(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let observe = prop_oneof![4 => Just(None), 3 => Just(Some(0)), 1 => Just(Some(1))];
    let method = prop_oneof![Just(GET), Just(PUT), Just(POST)];
    let request = (
        0..24u8,
        method,
        any::<bool>(),
        0..40u16,
        0..2_000usize,
        observe,
        any::<bool>(),
    );
    prop_oneof![
        8 => request.prop_map(|(peer, method, confirmable, id, bytes, observe, group)| {
            Step::Request(peer, method, confirmable, id, bytes, observe, group && !confirmable)
        }),
        4 => (0..24u8, 0..40u16, 0..3u32, any::<bool>())
            .prop_map(|(peer, id, number, more)| Step::Block(peer, id, number, more)),
        8 => (any::<bool>(), 0..5_000usize).prop_map(|(ok, bytes)| Step::Respond(ok, bytes)),
        3 => (0..24usize, 0..3_000usize).prop_map(|(place, bytes)| Step::Notify(place, bytes)),
        3 => any::<bool>().prop_map(Step::Receive),
        3 => (1..20_000u64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Networks),
    ]
}

/// Peers of three kinds of hosts: ports of one address, addresses of one /64, and others.
fn source(number: u8) -> SocketAddr {
    let port = u16::from(number);
    match number {
        0..8 => peer(FLOODING, port),
        8..16 => peer(&format!("fd00::{number:x}"), 1),
        _ => peer(&format!("192.0.3.{number}"), 1),
    }
}

#[derive(Default)]
struct Caller {
    observations: Vec<ObservationId>,
    sent: Vec<(SocketAddr, u16)>,
}

fn take(server: &mut Server, caller: &mut Caller, step: Step) {
    let now = server.now;
    match step {
        Step::Request(from, method, is_confirmable, message_id, bytes, observe, group) => {
            let mut message = Message::new(method).with_payload(vec![1; bytes]);
            if let Some(observe) = observe {
                message.push_uint_option(OBSERVE, observe);
            }
            let message_type = if is_confirmable {
                MessageType::Confirmable
            } else {
                MessageType::NonConfirmable
            };
            let token = Token::new(&message_id.to_be_bytes()).unwrap_or_default();
            let datagram = Datagram {
                message_type,
                message_id,
                token,
                message,
            };
            let bytes = encode(&datagram);
            if group {
                server.endpoint.handle_multicast(now, source(from), &bytes);
            } else {
                server.receive_bytes(source(from), &bytes);
            }
        }
        Step::Block(from, message_id, number, more) => {
            let block = Block {
                number,
                more,
                size_exponent: 6,
            };
            let mut datagram = crate::tests::confirmable(message_id, PUT);
            datagram.message.push_option(BLOCK1, block.encode());
            datagram
                .message
                .push_option(REQUEST_TAG, [message_id as u8 % 4]);
            datagram.message.payload = vec![1; 1024];
            server.receive_bytes(source(from), &encode(&datagram));
        }
        Step::Respond(ok, bytes) => {
            let Some(incoming) = server.incoming() else {
                return;
            };
            let code = if ok { CONTENT } else { NOT_FOUND };
            let response = Message::new(code).with_payload(vec![2; bytes]);
            let renewed = server.endpoint.renews(incoming.id);
            let begun = server
                .endpoint
                .respond_observing(now, incoming.id, response, renewed);
            caller.observations.extend(begun);
        }
        Step::Notify(place, bytes) => {
            if let Some(id) = caller.observations.get(place).copied() {
                let message = Message::new(CONTENT).with_payload(vec![3; bytes]);
                server.endpoint.notify(now, id, message);
            }
        }
        Step::Receive(acknowledges) => {
            if let Some((to, message_id)) = caller.sent.pop() {
                let message_type = if acknowledges {
                    MessageType::Acknowledgement
                } else {
                    MessageType::Reset
                };
                server.receive_bytes(to, &encode(&Datagram::empty(message_type, message_id)));
            }
        }
        Step::Wait(milliseconds) => server.advance(Duration::from_millis(milliseconds)),
        Step::Networks(declared) => {
            let prefix = "fd00::/64".parse().expect("a prefix");
            server.endpoint.set_limits(&Limits {
                networks: if declared {
                    vec![devices_of(prefix)]
                } else {
                    Vec::new()
                },
                ..tight()
            });
        }
    }
    while let Some(transmit) = server.endpoint.poll_transmit() {
        let datagram = decode(&transmit.bytes).expect("own messages are valid");
        if datagram.message_type == MessageType::Confirmable {
            caller.sent.push((transmit.peer, datagram.message_id));
        }
    }
    while server.endpoint.poll_observe_event().is_some() {}
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_account_is_within_its_bounds_and_zero_when_all_is_done(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut server = Server::with_limits(tight());
        let mut caller = Caller::default();
        for step in steps {
            take(&mut server, &mut caller, step);
            let held = server.endpoint.held_in_all();
            prop_assert!(held.exchanges <= 40 && held.observations <= 24, "{held:?}");
            let listed: usize = server.endpoint.largest_holders().iter().map(|one| one.bytes).sum();
            prop_assert!(listed <= held.bytes && (listed > 0) == (held.bytes > 0), "{listed} {held:?}");
        }
        server.respond_to_all(&Message::new(CONTENT));
        for id in std::mem::take(&mut caller.observations) {
            // An error ends the observation.
            server.endpoint.notify(server.now, id, Message::new(NOT_FOUND));
        }
        while server.endpoint.poll_transmit().is_some() {}
        server.advance(Duration::from_secs(3_600));
        prop_assert_eq!(server.endpoint.held_in_all(), HeldInAll::default());
        while server.endpoint.poll_observe_event().is_some() {}
        prop_assert_eq!(server.endpoint.state_left(), 0);
    }
}
