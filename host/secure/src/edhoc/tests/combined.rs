//! The combined request of RFC 9668.

use coap::option::{EDHOC, OSCORE, URI_PATH};
use coap::{MessageProtection, code};

use super::device::Device;
use super::*;
use crate::oscore::{Context, Verified};

const PEER: std::net::SocketAddr = std::net::SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    5683,
);

fn plain() -> Message {
    Message::new(code::GET).with_option(URI_PATH, "time")
}

/// A gateway that waits for message_3, and the combined request to it.
fn combined() -> (Protection, Message) {
    let mut gateway = gateway();
    let device = Device::begin(&mut gateway, &from(1), &device_identity());
    let mut context = Context::new(&device.verified.parameters, 0).expect("good parameters");
    let end = context.poll_reservation().expect("a block");
    context.reserved(end);
    let mut request = plain();
    context.protect_request(&mut request).expect("a number");
    request.push_option(EDHOC, []);
    request.payload = [&device.verified.message_3, &request.payload[..]].concat();
    (gateway, request)
}

fn unprotect(gateway: &mut Protection, request: &mut Message) -> Result<Option<Verified>, Message> {
    gateway.unprotect(Instant::now(), &PEER, request)
}

#[test]
fn a_combined_request_finishes_the_handshake_and_is_carried_out() {
    let (mut gateway, mut request) = combined();
    let verified = unprotect(&mut gateway, &mut request)
        .expect("it is authentic")
        .expect("it is protected");
    assert_eq!((&request, &*verified.principal), (&plain(), "kitchen"));
    let agreed = gateway.poll_agreed().expect("they have agreed");
    assert_eq!(agreed.kid().as_bytes()[0], 0);
    let mut response = Message::new(code::CONTENT);
    let reply = coap::Reply::Response;
    gateway
        .protect(Instant::now(), &PEER, &verified, reply, &mut response)
        .expect("it needs no number");
    assert!(response.option(OSCORE).is_some());
}

#[test]
fn a_combined_request_cut_off_at_any_byte_is_refused() {
    let (_, whole) = combined();
    for end in 0..whole.payload.len() {
        let (mut gateway, mut request) = combined();
        request.payload.truncate(end);
        let refused = unprotect(&mut gateway, &mut request).expect_err("it is cut off");
        let is_of_edhoc = gateway.take_refusal().is_some();
        assert_eq!(refused.code, code::BAD_REQUEST, "{end}");
        // Behind message_3 it is OSCORE that finds the fault.
        assert_eq!(is_of_edhoc, end <= 19, "{end}");
        assert_eq!(gateway.poll_agreed().is_some(), end > 19);
    }
}

#[test]
fn an_error_of_edhoc_is_sent_as_it_is_with_its_format() {
    let (mut gateway, mut request) = combined();
    request.payload[5] ^= 1;
    let refused = unprotect(&mut gateway, &mut request).expect_err("it is changed");
    assert_eq!(gateway.take_refusal(), Some(Refusal::NotAuthentic));
    assert_eq!(refused.code, code::BAD_REQUEST);
    assert_eq!(refused.uint_option(coap::option::CONTENT_FORMAT), Some(64));
    assert_eq!(refused.payload[0], 1, "unspecified error");
    assert!(gateway.contexts.is_empty() && gateway.poll_agreed().is_none());
}

#[test]
fn the_option_without_oscore_or_twice_or_inside_or_without_a_key_is_refused() {
    let (mut gateway, request) = combined();
    let mut without = request.clone();
    without.remove_option(OSCORE);
    let refused = unprotect(&mut gateway, &mut without).expect_err("no OSCORE");
    assert_eq!(refused.code, code::BAD_REQUEST);
    let mut twice = request.clone();
    twice.push_option(OSCORE, [9, 0, 1]);
    assert!(unprotect(&mut gateway, &mut twice).is_err());
    let mut whole = request.clone();
    assert!(unprotect(&mut gateway, &mut whole).is_ok());
    let mut again = request.clone();
    let refused = unprotect(&mut gateway, &mut again).expect_err("the handshake is over");
    assert_eq!(refused.code, code::BAD_REQUEST);
    let responder = Responder::new(Arc::new(Enrolled(Vec::new())), random(1));
    let mut plain_gateway = Protection::new(Contexts::new(1), responder);
    let mut foreign = request;
    let refused = unprotect(&mut plain_gateway, &mut foreign).expect_err("it has no EDHOC");
    assert!(
        matches!(refused.code, code::BAD_OPTION | code::UNAUTHORIZED),
        "{refused:?}"
    );
}
