//! The place of object security (RFC 8613 §8), with a double that wraps code, options and payload into one option.

use super::observe::{SECOND, content, observing, proven};
use super::*;
use crate::codec::encoded_length;
use crate::option::{ACCEPT, BLOCK2, CONTENT_FORMAT, ECHO, NO_RESPONSE, OBSERVE, content_format};
use crate::{Block, MessageProtection, ObservationId};

/// OSCORE (RFC 8613 §2): critical, so an endpoint that does not unwrap it refuses the request.
const OSCORE: u16 = 9;
/// The double's key.
const KEY: u8 = 0x5a;
/// The first byte of a wrapped message that verification refuses.
const FORGED: u8 = 0xff;

/// Numbers the requests that it unwraps, as OSCORE has a Partial IV; each response names its request's number.
#[derive(Default)]
struct Wrapping {
    unwrapped: Vec<u8>,
    wrapped: Vec<(u8, Message)>,
}

fn wrap(number: u8, message: &Message) -> Message {
    let inner = encode(&Datagram {
        message_type: MessageType::NonConfirmable,
        message_id: 0,
        token: Token::default(),
        message: message.clone(),
    });
    let hidden = inner.iter().map(|byte| byte ^ KEY);
    let value: Vec<u8> = std::iter::once(number).chain(hidden).collect();
    let outer = if code::is_request(message.code) {
        code::POST
    } else {
        code::CHANGED
    };
    Message::new(outer).with_option(OSCORE, value)
}

fn unwrap(message: &Message) -> Option<(u8, Message)> {
    let (number, hidden) = message.option(OSCORE)?.split_first()?;
    let inner: Vec<u8> = hidden.iter().map(|byte| byte ^ KEY).collect();
    Some((*number, decode(&inner).ok()?.message))
}

impl MessageProtection<u16> for Wrapping {
    type Context = u8;

    fn unprotect(
        &mut self,
        _: Instant,
        _: &u16,
        request: &mut Message,
    ) -> Result<Option<u8>, Message> {
        if request.option(OSCORE).is_none() {
            return Ok(None);
        }
        match unwrap(request) {
            Some((number, inner)) if number != FORGED => {
                self.unwrapped.push(number);
                *request = inner;
                Ok(Some(number))
            }
            _ => {
                self.unwrapped.push(FORGED);
                Err(Message::diagnostic(code::BAD_REQUEST, "Decryption failed"))
            }
        }
    }

    fn protect(&mut self, _: Instant, _: &u16, context: &u8, message: &mut Message) {
        self.wrapped.push((*context, message.clone()));
        *message = wrap(*context, message);
    }

    fn overhead(&self, _: &u8) -> usize {
        // Option header with its extensions, number, and the header of the inner message.
        1 + 2 + 2 + 1 + 4
    }
}

/// An endpoint with the double.
struct Protected {
    endpoint: Endpoint<u16, Wrapping>,
    now: Instant,
}

impl Protected {
    fn new(limits: Limits) -> Self {
        Self {
            endpoint: Endpoint::with_protection(limits, [5; 16], Wrapping::default()),
            now: Instant::now(),
        }
    }

    fn receive(&mut self, datagram: &Datagram) {
        self.endpoint
            .handle_datagram(self.now, 1, &encode(datagram));
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|transmit| transmit.bytes)
            .collect()
    }

    /// The one datagram to be sent now, with the number and the message inside.
    fn sent_one(&mut self) -> (Datagram, u8, Message) {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:02x?}");
        let datagram = decode(&sent[0]).expect("own messages are valid");
        assert_eq!(datagram.message.options.len(), 1, "{:?}", datagram.message);
        let (number, inner) = unwrap(&datagram.message).expect("a wrapped message");
        (datagram, number, inner)
    }

    fn incoming(&mut self) -> (ExchangeId, Message) {
        let incoming = self.endpoint.poll_request().expect("a request");
        assert!(incoming.protection.is_some());
        (incoming.id, incoming.request)
    }

    fn advance(&mut self, duration: Duration) {
        self.now += duration;
        self.endpoint.handle_timeout(self.now);
    }

    fn unwrapped(&self) -> &[u8] {
        &self.endpoint.protection().unwrapped
    }

    fn wrapped(&self) -> usize {
        self.endpoint.protection().wrapped.len()
    }
}

/// The request, wrapped; its number is its message ID.
fn wrapped(datagram: Datagram) -> Datagram {
    Datagram {
        message: wrap(datagram.message_id as u8, &datagram.message),
        ..datagram
    }
}

fn acknowledgement(message_id: u16) -> Datagram {
    Datagram::empty(MessageType::Acknowledgement, message_id)
}

#[test]
fn the_endpoint_reads_the_inner_options_and_the_caller_gets_the_inner_request() {
    let mut server = Protected::new(proven());
    let request = confirmable(7, code::GET);
    server.receive(&wrapped(request.clone()));
    let (id, inner) = server.incoming();
    assert_eq!(inner, request.message);

    server.endpoint.respond(server.now, id, content("body"));
    let (datagram, number, response) = server.sent_one();
    assert_eq!(datagram.message_type, MessageType::Acknowledgement);
    assert_eq!((datagram.message_id, datagram.token), (7, token(7)));
    assert_eq!((number, response), (7, content("body")));
}

#[test]
fn a_duplicate_is_not_unprotected_again_and_gets_the_same_bytes() {
    for method in [code::GET, code::FETCH, code::POST] {
        let mut server = Protected::new(proven());
        let request = wrapped(confirmable(7, method));
        server.receive(&request);
        server.receive(&request);
        let (id, _) = server.incoming();
        server.endpoint.respond(server.now, id, changed());
        let first = server.sent();
        server.receive(&request);
        assert_eq!(server.sent(), first);
        assert_eq!((server.unwrapped(), server.wrapped()), (&[7][..], 1));
        assert_eq!(server.endpoint.counters().duplicates, 2);
    }
}

#[test]
fn a_separate_response_is_protected_once_and_retransmitted_as_it_was() {
    let mut server = Protected::new(proven());
    server.receive(&wrapped(confirmable(7, code::POST)));
    let (id, _) = server.incoming();
    server.advance(SECOND);
    assert_eq!(server.sent(), [encode(&acknowledgement(7))]);
    server.endpoint.respond(server.now, id, changed());
    let first = server.sent();
    server.advance(3 * SECOND);
    assert_eq!(server.sent(), first);
    assert_eq!(server.wrapped(), 1);
    let separate = decode(&first[0]).expect("own messages are valid");
    assert_eq!(separate.message_type, MessageType::Confirmable);
    assert_eq!(unwrap(&separate.message), Some((7, changed())));
}

#[test]
fn errors_of_the_endpoint_are_protected_too() {
    let mut server = Protected::new(proven());
    let mut request = confirmable(7, code::GET);
    request.message.push_option(65_001, "critical");
    request
        .message
        .push_uint_option(ACCEPT, content_format::PROBLEM_DETAILS.into());
    server.receive(&wrapped(request));
    let (_, number, error) = server.sent_one();
    assert_eq!((number, error.code), (7, code::BAD_OPTION));
    let format = error.uint_option(CONTENT_FORMAT);
    assert_eq!(format, Some(content_format::PROBLEM_DETAILS.into()));
}

#[test]
fn a_request_that_fails_verification_gets_the_error_unprotected_also_as_a_duplicate() {
    let mut server = Protected::new(proven());
    let mut forged = confirmable(7, code::FETCH);
    forged.message.push_option(OSCORE, [FORGED, 0]);
    server.receive(&forged);
    let first = server.sent();
    let refused = decode(&first[0]).expect("own messages are valid");
    assert_eq!(refused.message.code, code::BAD_REQUEST);
    assert_eq!(refused.message.payload, b"Decryption failed");

    server.receive(&forged);
    assert_eq!(server.sent(), first);
    assert_eq!(server.unwrapped(), [FORGED]);
    assert_eq!((server.wrapped(), server.endpoint.in_flight()), (0, 0));
    assert!(server.endpoint.poll_request().is_none());
}

#[test]
fn a_request_without_protection_gets_a_response_without_it() {
    let mut server = Protected::new(proven());
    server.receive(&confirmable(7, code::GET));
    let incoming = server.endpoint.poll_request().expect("a request");
    assert_eq!(incoming.protection, None);
    server
        .endpoint
        .respond(server.now, incoming.id, content("body"));
    let plain = decode(&server.sent()[0]).expect("own messages are valid");
    assert_eq!(plain.message, content("body"));
    assert_eq!(server.wrapped(), 0);
}

#[test]
fn without_protection_the_option_is_critical_and_not_understood() {
    let mut server = Server::new();
    let refused = server.answer_to(&wrapped(confirmable(7, code::GET)));
    assert_eq!(refused.message.code, code::BAD_OPTION);
}

#[test]
fn no_response_inside_a_protected_request_suppresses_the_response() {
    let mut server = Protected::new(proven());
    let mut request = confirmable(7, code::POST);
    request.message.push_option(NO_RESPONSE, [2]);
    server.receive(&wrapped(request));
    let (id, _) = server.incoming();
    server.endpoint.respond(server.now, id, changed());
    assert_eq!(server.sent(), [encode(&acknowledgement(7))]);
    assert_eq!(server.wrapped(), 0);
}

/// Registers an observation with request 7.
fn observation(server: &mut Protected) -> ObservationId {
    server.receive(&wrapped(observing(7, 0)));
    let (id, _) = server.incoming();
    let begun = server
        .endpoint
        .respond_observing(server.now, id, content("first"), None);
    let (_, number, first) = server.sent_one();
    assert_eq!((number, &first.payload[..]), (7, &b"first"[..]));
    assert!(first.option(OBSERVE).is_some());
    begun.expect("an observation")
}

#[test]
fn each_notification_is_protected_once_for_the_request_that_registered() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    assert!(server.endpoint.notify(server.now, id, content("second")));
    let first = server.sent();
    server.advance(3 * SECOND);
    assert_eq!(server.sent(), first, "a retransmission");
    assert_eq!(server.wrapped(), 2);
    let notification = decode(&first[0]).expect("own messages are valid");
    let (number, inner) = unwrap(&notification.message).expect("a wrapped message");
    assert_eq!((number, &inner.payload[..]), (7, &b"second"[..]));
    assert!(inner.option(OBSERVE).is_some());

    // The next one waits for the acknowledgement (NSTART), and is protected once as well.
    assert!(server.endpoint.notify(server.now, id, content("third")));
    assert_eq!(server.sent(), [] as [Vec<u8>; 0]);
    server.receive(&acknowledgement(notification.message_id));
    let (_, _, inner) = server.sent_one();
    assert_eq!((&inner.payload[..], server.wrapped()), (&b"third"[..], 3));
}

#[test]
fn notifications_after_a_renewal_are_bound_to_the_request_that_renewed() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    let mut renewal = observing(8, 0);
    renewal.token = token(7);
    server.receive(&wrapped(renewal));
    let (exchange, _) = server.incoming();
    let renewed = server.endpoint.renews(exchange);
    assert_eq!(renewed, Some(id));
    let now = server.now;
    server
        .endpoint
        .respond_observing(now, exchange, content("again"), renewed);
    server.sent_one();
    assert!(server.endpoint.notify(now, id, content("second")));
    assert_eq!(server.sent_one().1, 8);
}

#[test]
fn each_block_is_protected_after_it_is_cut() {
    let mut server = Protected::new(proven());
    server.receive(&wrapped(confirmable(7, code::GET)));
    let (id, _) = server.incoming();
    let body = "x".repeat(1500);
    server.endpoint.respond(server.now, id, content(&body));
    let (_, _, first) = server.sent_one();
    assert_eq!(first.payload.len(), 1024);

    let mut next = confirmable(8, code::GET);
    let block = Block {
        number: 1,
        more: false,
        size_exponent: 6,
    };
    next.message.push_option(BLOCK2, block.encode());
    server.receive(&wrapped(next.clone()));
    let (_, number, second) = server.sent_one();
    assert_eq!((number, second.payload.len()), (8, 476));
    server.receive(&wrapped(next));
    server.sent_one();
    assert_eq!((server.unwrapped(), server.wrapped()), (&[7, 8][..], 2));
}

#[test]
fn a_protected_response_to_an_unproven_address_is_within_its_allowance() {
    let mut server = Protected::new(Limits::default());
    for length in 0..200 {
        let message_id = length as u16;
        let request = wrapped(confirmable(message_id, code::GET));
        let allowance = 136.max(3 * encode(&request).len());
        server.receive(&request);
        let (id, _) = server.incoming();
        let body = "x".repeat(length);
        server.endpoint.respond(server.now, id, content(&body));
        for bytes in server.sent() {
            assert!(bytes.len() <= allowance, "{length}: {}", bytes.len());
        }
    }
}

#[test]
fn an_echo_value_inside_a_protected_request_proves_the_address() {
    let mut server = Protected::new(Limits {
        echo: true,
        ..Limits::default()
    });
    server.receive(&wrapped(confirmable(7, code::GET)));
    let (_, _, challenge) = server.sent_one();
    assert_eq!(challenge.code, code::UNAUTHORIZED);
    let mut request = confirmable(8, code::GET);
    let echo = challenge.option(ECHO).expect("an Echo value");
    request.message.push_option(ECHO, echo);
    assert!(encoded_length(&request.message.options) > echo.len());
    server.receive(&wrapped(request));
    assert!(server.endpoint.is_proven(server.now, &1));
    assert_eq!(server.incoming().1.option(ECHO), None);
}
