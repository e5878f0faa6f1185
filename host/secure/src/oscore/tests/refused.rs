//! What an address gets that has proven nothing, for requests that are refused: never more bytes than it sent.

use std::collections::HashSet;

use coap::option::{ECHO, PROXY_SCHEME, URI_PATH};
use coap::{Datagram, Endpoint, Limits, MessageType, Token, code, decode, encode};

use super::super::context::RequestId;
use super::super::nonce::{END_OF_NUMBERS, PartialIv};
use super::super::option_value::OptionValue;
use super::derivation_vectors::{SALT, parameters};
use super::*;

/// A gateway that has one context, with an identifier of one byte: requests are as short as they can be.
struct Gateway {
    now: Instant,
    endpoint: Endpoint<u16, Contexts>,
    device: Context,
    /// Each datagram comes from another address.
    peer: u16,
}

impl Gateway {
    fn new(stored_end: u64, is_stored: bool, is_expired: bool) -> Self {
        let now = Instant::now();
        let parameters = parameters(SALT, "67", "01", None);
        let mut contexts = Contexts::new(1);
        let added = contexts.add(
            "kitchen".into(),
            &parameters,
            stored_end,
            is_expired.then_some(now),
        );
        added.expect("valid parameters");
        if is_stored {
            store(&mut contexts);
        }
        let mut device = Context::new(&mirrored(&parameters), 0).expect("valid parameters");
        let end = device.poll_reservation().expect("a reservation");
        device.reserved(end);
        Self {
            now,
            endpoint: Endpoint::with_protection(Limits::default(), [1; 16], contexts),
            device,
            peer: 0,
        }
    }

    fn request(&mut self, mut message: Message) -> Message {
        let sent = self.device.protect_request(&mut message);
        sent.expect("there is a number");
        message
    }

    /// Sends a request from a new address. Returns why it was refused, and what comes back.
    fn send(
        &mut self,
        message: &Message,
        message_type: MessageType,
        token: usize,
    ) -> (Refusal, Vec<Datagram>) {
        self.peer += 1;
        let datagram = encode(&Datagram {
            message_type,
            message_id: self.peer,
            token: Token::new(&[7; 8][..token]).expect("at most 8 bytes"),
            message: message.clone(),
        });
        self.endpoint
            .handle_datagram(self.now, self.peer, &datagram);
        let sent: Vec<_> = std::iter::from_fn(|| self.endpoint.poll_transmit()).collect();
        let received: usize = sent.iter().map(|transmit| transmit.bytes.len()).sum();
        let refusal = self.endpoint.protection_mut().take_refusal();
        let (_, reason) = refusal.expect("it is refused");
        assert!(
            received <= datagram.len(),
            "{reason:?}: {received} bytes for {}",
            datagram.len()
        );
        let sent = sent.iter().map(|transmit| decode(&transmit.bytes));
        (
            reason,
            sent.map(|datagram| datagram.expect("own")).collect(),
        )
    }
}

fn get() -> Message {
    Message::new(code::GET).with_option(URI_PATH, "time")
}

fn post(value: &[u8], payload: &[u8]) -> Message {
    Message::new(code::POST)
        .with_option(coap::option::OSCORE, value)
        .with_payload(payload)
}

/// A request that leads to each refusal, as short as it can be.
fn refused() -> Vec<(Refusal, Gateway, Message)> {
    let ready = || Gateway::new(0, true, false);
    let mut cases = Vec::new();
    let mut case = |reason, mut gateway: Gateway, make: &dyn Fn(&mut Gateway) -> Message| {
        let message = make(&mut gateway);
        cases.push((reason, gateway, message));
    };
    case(Refusal::Malformed, ready(), &|_| post(&[], &[]));
    case(Refusal::Malformed, ready(), &|_| post(&[0xff], &[1]));
    case(Refusal::UnknownContext, ready(), &|_| {
        post(&[0x09, 0, 2], &[1; 9])
    });
    case(Refusal::NotAuthentic, ready(), &|_| {
        post(&[0x09, 0, 1], &[])
    });
    case(Refusal::NotAuthentic, ready(), &|_| {
        post(&[0x09, 0, 1], &[1; 9])
    });
    case(Refusal::OuterOption(13), ready(), &|_| {
        post(&[0x09, 0, 1], &[1]).with_option(13, [])
    });
    case(Refusal::OuterProxy, ready(), &|_| {
        post(&[0x09, 0, 1], &[1]).with_option(PROXY_SCHEME, [])
    });
    case(Refusal::Expired, Gateway::new(0, true, true), &|_| {
        post(&[0x09, 0, 1], &[])
    });
    case(Refusal::NotStored, Gateway::new(0, false, false), &|_| {
        post(&[0x09, 0, 1], &[])
    });
    case(
        Refusal::Exhausted,
        Gateway::new(END_OF_NUMBERS, true, false),
        &|_| post(&[0x09, 0, 1], &[]),
    );
    case(Refusal::Spent, ready(), &|gateway| {
        let used = Used {
            sealed: 1 << 20,
            failed: 0,
        };
        let contexts = gateway.endpoint.protection_mut();
        contexts.resume_use(identifier("01"), used);
        post(&[0x09, 0, 1], &[])
    });
    case(Refusal::Replay, ready(), &|gateway| {
        let message = gateway.request(Message::new(code::GET));
        let contexts = gateway.endpoint.protection_mut();
        let taken = contexts.unprotect(gateway.now, &mut message.clone());
        taken.expect("it is accepted once");
        message
    });
    case(Refusal::NoRequest, ready(), &|gateway| {
        let mut message = Message::new(code::CONTENT);
        let id = RequestId {
            kid: identifier("01"),
            iv: PartialIv::new(0).expect("a number"),
        };
        let value = OptionValue {
            partial_iv: Some(id.iv),
            kid: Some(&[1]),
            ..OptionValue::default()
        };
        let sealed = gateway
            .device
            .seal(id, (id.kid, id.iv), &value, &mut message);
        sealed.expect("sealed");
        message.code = code::POST;
        message
    });
    // The shortest requests, of devices that have sent little, after few and after very many restarts.
    for end in [256, 1 << 16, 1 << 32] {
        let restarted = || Gateway::new(end, true, false);
        case(Refusal::NotFresh, restarted(), &|gateway| {
            gateway.request(get())
        });
        case(Refusal::NotFresh, restarted(), &|gateway| {
            gateway.request(Message::new(code::GET))
        });
    }
    cases
}

#[test]
fn no_refusal_is_longer_than_its_request() {
    let mut reasons = HashSet::new();
    for (expected, mut gateway, message) in refused() {
        for message_type in [MessageType::Confirmable, MessageType::NonConfirmable] {
            for token in [0, 1, 8] {
                let (reason, sent) = gateway.send(&message, message_type, token);
                // It counts as received, though it was no request.
                let is_received = expected == Refusal::NoRequest && reason == Refusal::Replay;
                assert!(reason == expected || is_received, "{reason:?}");
                reasons.insert(reason);
                assert_eq!(sent.len(), 1, "{reason:?}: {sent:?}");
            }
        }
    }
    assert_eq!(reasons.len(), 12, "all that there are: {reasons:?}");
}

#[test]
fn a_request_that_is_long_enough_gets_the_words_of_the_standard() {
    let mut gateway = Gateway::new(0, true, false);
    let unknown = post(&[0x09, 0, 2], &[1; 30]);
    let (_, sent) = gateway.send(&unknown, MessageType::Confirmable, 1);
    assert_eq!(sent[0].message.payload, b"Security context not found");
}

#[test]
fn a_short_request_after_a_restart_gets_its_challenge() {
    let mut gateway = Gateway::new(256, true, false);
    let mut message = get();
    let mut bound = gateway
        .device
        .protect_request(&mut message)
        .expect("a number");
    let (_, mut sent) = gateway.send(&message, MessageType::Confirmable, 1);
    let mut challenge = sent.remove(0).message;
    let opened = gateway
        .device
        .unprotect_response(&mut bound, &mut challenge);
    opened.expect("authentic");
    assert_eq!(challenge.code, code::UNAUTHORIZED);
    assert_eq!(challenge.option(ECHO), Some(&[1, 0][..]));
}

#[test]
fn a_request_too_short_for_its_challenge_gets_it_once_its_address_is_proven() {
    let mut gateway = Gateway::new(1 << 32, true, false);
    let message = gateway.request(Message::new(code::GET));
    let (reason, sent) = gateway.send(&message, MessageType::Confirmable, 1);
    assert_eq!(reason, Refusal::NotFresh);
    let [ping] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(
        (ping.message_type, ping.message.code),
        (MessageType::Confirmable, code::EMPTY)
    );
    let reset = encode(&Datagram::empty(MessageType::Reset, ping.message_id));
    gateway
        .endpoint
        .handle_datagram(gateway.now, gateway.peer, &reset);
    let datagram = encode(&Datagram {
        message_type: MessageType::Confirmable,
        message_id: gateway.peer,
        token: Token::default(),
        message,
    });
    gateway
        .endpoint
        .handle_datagram(gateway.now, gateway.peer, &datagram);
    let challenge = gateway.endpoint.poll_transmit().expect("the challenge");
    let challenge = decode(&challenge.bytes).expect("own").message;
    assert!(challenge.option(coap::option::OSCORE).is_some());
}
