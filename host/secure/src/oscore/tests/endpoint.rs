//! Contexts in an endpoint.

use coap::option::{MAX_AGE, NO_RESPONSE, OSCORE, URI_PATH};
use coap::{Datagram, Endpoint, Limits, MessageType, Token, code, decode, encode};

use super::derivation_vectors::{SALT, parameters};
use super::*;

/// A gateway at an endpoint, and a device with identifiers of two bytes, as for thousands of devices.
struct Network {
    now: Instant,
    device: Context,
    gateway: Endpoint<u16, Contexts>,
    message_id: u16,
}

impl Network {
    fn new() -> Self {
        let parameters = parameters(SALT, "67", "a001", None);
        let mut contexts = Contexts::new(1);
        contexts
            .add("kitchen".into(), &parameters, 0, None)
            .expect("valid parameters");
        store(&mut contexts);
        let mut device = Context::new(&mirrored(&parameters), 0).expect("valid parameters");
        let end = device.poll_reservation().expect("a reservation");
        device.reserved(end);
        Self {
            now: Instant::now(),
            device,
            gateway: Endpoint::with_protection(Limits::default(), [1; 16], contexts),
            message_id: 0,
        }
    }

    fn request(&mut self, mut message: Message) -> (SentRequest, Datagram) {
        let sent = self.device.protect_request(&mut message);
        self.message_id += 1;
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(&[self.message_id as u8]).expect("one byte"),
            message,
        };
        (sent.expect("protected"), datagram)
    }

    /// Responds to all requests; returns what leaves.
    fn take(&mut self, datagram: &Datagram) -> Vec<Datagram> {
        self.gateway.handle_datagram(self.now, 1, &encode(datagram));
        while let Some(incoming) = self.gateway.poll_request() {
            let principal = incoming.protection.map(|verified| verified.principal);
            assert_eq!(principal.as_deref(), Some("kitchen"));
            let path = incoming
                .request
                .message
                .option(URI_PATH)
                .map(<[u8]>::to_vec);
            let response = match path.as_deref() {
                Some(b"time") => Message::new(code::CONTENT).with_payload("12:00"),
                _ => Message::new(code::CHANGED),
            };
            self.gateway.respond(self.now, incoming.id, response);
        }
        std::iter::from_fn(|| self.gateway.poll_transmit())
            .map(|transmit| decode(&transmit.bytes).expect("own messages are valid"))
            .collect()
    }
}

fn get() -> Message {
    Message::new(code::GET).with_option(URI_PATH, "time")
}

#[test]
fn a_send_of_20_bytes_takes_at_most_120_bytes_both_ways() {
    let mut network = Network::new();
    let plain = Message::new(code::PUT)
        .with_option(URI_PATH, "send")
        .with_option(URI_PATH, "kitchen")
        .with_payload("the kettle is boiled");
    let unprotected = |message: Message, token: Token| {
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: 1,
            token,
            message,
        };
        encode(&datagram).len()
    };
    let (mut sent, request) = network.request(plain.clone());
    let [response] = &network.take(&request)[..] else {
        panic!("one response");
    };
    let (there, back) = (encode(&request).len(), encode(response).len());
    assert!(there + back <= 120, "{there} + {back}");
    let overhead = there - unprotected(plain, request.token);
    assert!(overhead <= 16, "{overhead}");
    let mut message = response.message.clone();
    network
        .device
        .unprotect_response(&mut sent, &mut message)
        .unwrap();
    assert_eq!(message, Message::new(code::CHANGED));
}

#[test]
fn a_duplicate_gets_the_same_bytes_and_a_replay_an_error() {
    let mut network = Network::new();
    let (_, mut request) = network.request(get());
    let first = network.take(&request);
    assert_eq!(network.take(&request), first);
    request.message_id += 100;
    let [refused] = &network.take(&request)[..] else {
        panic!("one response");
    };
    assert_eq!(refused.message.code, code::UNAUTHORIZED);
    assert_eq!(refused.message.payload, b"Replay detected");
    assert_eq!(refused.message.uint_option(MAX_AGE), Some(0));
    assert_eq!(refused.message.option(OSCORE), None);
    assert_eq!(network.take(&request)[..], *std::slice::from_ref(refused));
}

#[test]
fn a_device_that_wants_no_response_gets_an_acknowledgement() {
    let mut network = Network::new();
    let put = Message::new(code::PUT)
        .with_option(URI_PATH, "send")
        .with_option(NO_RESPONSE, [2]);
    let (_, request) = network.request(put);
    let empty = Datagram::empty(MessageType::Acknowledgement, request.message_id);
    assert_eq!(network.take(&request), [empty]);
    // Outside, somebody on the way wants it.
    let (_, mut request) = network.request(get());
    request.message.push_option(NO_RESPONSE, [2]);
    assert!(network.take(&request)[0].message.option(OSCORE).is_some());
}

#[test]
fn an_error_of_the_endpoint_is_protected() {
    let mut network = Network::new();
    let (mut sent, request) = network.request(get().with_option(65_001, "critical"));
    let mut message = network.take(&request).remove(0).message;
    network
        .device
        .unprotect_response(&mut sent, &mut message)
        .unwrap();
    assert_eq!(message.code, code::BAD_OPTION);
}
