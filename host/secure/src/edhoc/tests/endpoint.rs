//! EDHOC and OSCORE in an endpoint of CoAP: retransmissions of the combined request.

use coap::option::{EDHOC, OSCORE, URI_PATH};
use coap::{Datagram, Endpoint, Limits, MessageType, Token, code};

use super::device::message_1;
use super::*;
use crate::oscore::Context;

const PEER: std::net::SocketAddr = std::net::SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    5683,
);

fn confirmable(message_id: u16, message: Message) -> Vec<u8> {
    coap::encode(&Datagram {
        message_type: MessageType::Confirmable,
        message_id,
        token: Token::new(&[1]).expect("it is short"),
        message,
    })
}

#[test]
fn a_combined_request_that_is_sent_again_gets_the_same_response_again() {
    let now = Instant::now();
    let mut endpoint = Endpoint::with_protection(Limits::default(), [3; 16], gateway());
    let (initiator, payload) = message_1(50);
    let (response, _) = handle(endpoint.protection_mut(), &from(1), &payload);
    let verified = initiator
        .verify(
            &device_identity(),
            gateway_identity().ccs(),
            &response.payload,
        )
        .expect("the gateway is authentic");
    let mut context = Context::new(&verified.parameters, 0).expect("good parameters");
    let end = context.poll_reservation().expect("a block");
    context.reserved(end);
    let mut request = Message::new(code::POST).with_option(URI_PATH, "send");
    context.protect_request(&mut request).expect("a number");
    request.push_option(EDHOC, []);
    request.payload = [&verified.message_3, &request.payload[..]].concat();
    let datagram = confirmable(1, request);
    endpoint.handle_datagram(now, PEER, &datagram);
    let incoming = endpoint.poll_request().expect("it is whole");
    assert_eq!(
        &*incoming.protection.expect("it is protected").principal,
        "kitchen"
    );
    endpoint.respond(now, incoming.id, Message::new(code::CHANGED));
    let first = endpoint.poll_transmit().expect("a response");
    let read = coap::decode(&first.bytes).expect("CoAP");
    assert!(read.message.option(OSCORE).is_some(), "{read:?}");
    endpoint.handle_datagram(now, PEER, &datagram);
    assert!(endpoint.poll_request().is_none(), "it is carried out once");
    assert_eq!(endpoint.poll_transmit(), Some(first));
    // In another datagram its handshake is over.
    let mut again = coap::decode(&datagram).expect("CoAP");
    again.message_id = 2;
    endpoint.handle_datagram(now, PEER, &coap::encode(&again));
    let refused = endpoint.poll_transmit().expect("a response");
    let refused = coap::decode(&refused.bytes).expect("CoAP");
    assert_eq!(refused.message.code, code::BAD_REQUEST);
    assert!(endpoint.poll_request().is_none());
}
