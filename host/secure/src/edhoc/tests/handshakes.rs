//! Whole handshakes with separate messages, at the resource.

use coap::{code, option};

use super::device::{Device, message_1};
use super::*;
use crate::oscore::Context;

#[test]
fn a_device_and_the_gateway_agree_on_a_context_which_both_can_use_at_once() {
    let mut gateway = gateway();
    let mut device = Device::begin(&mut gateway, &from(1), &device_identity());
    let payload = device.with_c_r(&device.verified.message_3);
    let (response, refusal) = handle(&mut gateway, &from(1), &payload);
    assert_eq!((response.code, refusal), (code::CHANGED, None));
    assert_eq!(response.uint_option(option::CONTENT_FORMAT), Some(64));
    assert_eq!(device.verified.verify_message_4(&response.payload), Ok(()));
    let agreed = gateway.poll_agreed().expect("they have agreed");
    assert_eq!(
        (&*agreed.principal, agreed.kid()),
        ("kitchen", device.verified.c_r)
    );
    assert!(gateway.poll_agreed().is_none());
    let reservation = gateway
        .contexts
        .poll_reservation()
        .expect("to be stored with the context");
    assert_eq!(
        (reservation.kid, &*reservation.principal),
        (agreed.kid(), "kitchen")
    );
    let mut context = Context::new(&device.verified.parameters, 0).expect("good parameters");
    let end = context.poll_reservation().expect("a block");
    context.reserved(end);
    let plain = Message::new(code::GET).with_option(option::URI_PATH, "time");
    let mut request = plain.clone();
    let mut sent = context.protect_request(&mut request).expect("a number");
    let verified = gateway.contexts.unprotect(Instant::now(), &mut request);
    let verified = verified.expect("it is authentic").expect("it is protected");
    assert_eq!((&request, &*verified.principal), (&plain, "kitchen"));
    let mut response = Message::new(code::CONTENT).with_payload("now");
    gateway
        .contexts
        .protect(
            Instant::now(),
            &verified,
            coap::Reply::Response,
            &mut response,
        )
        .expect("it needs no number");
    context
        .unprotect_response(&mut sent, &mut response)
        .expect("it is authentic");
    assert_eq!(response.payload, b"now");
}

#[test]
fn a_message_3_counts_once_and_only_from_the_host_of_message_1() {
    let mut gateway = gateway();
    let device = Device::begin(&mut gateway, &from(1), &device_identity());
    let payload = device.with_c_r(&device.verified.message_3);
    assert_eq!(
        handle(&mut gateway, &from(2), &payload).1,
        Some(Refusal::NoSession)
    );
    assert_eq!(handle(&mut gateway, &from(1), &payload).1, None);
    assert_eq!(
        handle(&mut gateway, &from(1), &payload).1,
        Some(Refusal::NoSession)
    );
}

#[test]
fn a_handshake_ends_after_a_minute() {
    let mut gateway = gateway();
    let (initiator, payload) = message_1(50);
    let (response, _) = handle(&mut gateway, &from(1), &payload);
    let own = gateway_identity();
    let verified = initiator
        .verify(&device_identity(), own.ccs(), &response.payload)
        .expect("the gateway is authentic");
    let device = Device { verified };
    let payload = device.with_c_r(&device.verified.message_3);
    let later = Instant::now() + std::time::Duration::from_secs(60);
    let handled = gateway.handle(later, &from(1), &post(&payload));
    assert!(matches!(
        handled,
        Some(Handled::Response(_, Some(Refusal::NoSession)))
    ));
}

#[test]
fn a_device_without_the_enrolled_key_and_one_that_nobody_knows_get_the_same_error() {
    let mut gateway = gateway();
    let mut errors = Vec::new();
    for (key, kid, expected) in [
        ([6; 32], [1], Refusal::NotAuthentic),
        ([6; 32], [2], Refusal::UnknownCredential),
    ] {
        let identity = Identity::new(&key, &kid).expect("a key");
        let device = Device::begin(&mut gateway, &from(1), &identity);
        let payload = device.with_c_r(&device.verified.message_3);
        let (response, refusal) = handle(&mut gateway, &from(1), &payload);
        assert_eq!(refusal, Some(expected));
        errors.push(response);
    }
    assert_eq!(errors[0], errors[1]);
    assert!(gateway.contexts.is_empty() && gateway.poll_agreed().is_none());
}

#[test]
fn a_gateway_with_another_key_is_not_taken_for_the_gateway() {
    let mut gateway = gateway();
    let (initiator, payload) = message_1(50);
    let (response, _) = handle(&mut gateway, &from(1), &payload);
    let other = Identity::new(&[4; 32], &[0]).expect("a key");
    let verified = initiator.verify(&device_identity(), other.ccs(), &response.payload);
    assert_eq!(verified.err(), Some(InitiatorError::NotAuthentic));
}

#[test]
fn the_resource_takes_post_in_its_formats_and_is_absent_without_a_key() {
    let mut gateway = gateway();
    let (_, payload) = message_1(50);
    let mut code_of = |request: &Message| match gateway.handle(Instant::now(), &from(1), request) {
        Some(Handled::Response(response, _)) => response.code,
        other => panic!("{other:?}"),
    };
    let with = |number, value| post(&payload).with_uint_option(number, value);
    assert_eq!(code_of(&with(option::CONTENT_FORMAT, 65)), code::CHANGED);
    assert_eq!(code_of(&with(option::ACCEPT, 64)), code::CHANGED);
    assert_eq!(
        code_of(&with(option::CONTENT_FORMAT, 60)),
        code::UNSUPPORTED_CONTENT_FORMAT
    );
    assert_eq!(code_of(&with(option::ACCEPT, 60)), code::NOT_ACCEPTABLE);
    assert_eq!(code_of(&Message::new(code::GET)), code::METHOD_NOT_ALLOWED);
    assert_eq!(code_of(&post(&[])), code::BAD_REQUEST);
    let responder = Responder::new(Arc::new(Enrolled(Vec::new())), random(1));
    let mut without = Protection::new(Contexts::new(1), responder);
    assert!(
        without
            .handle(Instant::now(), &from(1), &post(&payload))
            .is_none()
    );
}

#[test]
fn an_identifier_is_neither_that_of_the_device_nor_of_a_context_nor_of_a_credential() {
    let taken = Identity::new(&[8; 32], &[0, 1]).expect("a key");
    let devices = vec![
        ("kitchen", device_identity().ccs().clone()),
        ("roof", taken.ccs().clone()),
    ];
    let mut gateway = gateway_of(devices);
    let mut identifiers = std::collections::HashSet::new();
    for _ in 0..400 {
        let device = Device::begin(&mut gateway, &from(1), &device_identity());
        let c_r = device.verified.c_r;
        assert!(c_r.as_bytes()[0] == 0 && c_r.as_bytes() != [0, 1] && c_r.as_bytes() != [7]);
        let is_pending = !identifiers.insert(c_r);
        assert!(!is_pending || gateway.contexts.principal(c_r).is_none());
        let payload = device.with_c_r(&device.verified.message_3);
        let (_, refusal) = handle(&mut gateway, &from(1), &payload);
        // Each of them stays, and a device gets no more of them at once.
        let has_its_share = gateway.contexts.len() == 16;
        assert!(
            refusal.is_none() || has_its_share && matches!(refusal, Some(Refusal::TooOften(_)))
        );
    }
    assert!(identifiers.len() > 200, "{}", identifiers.len());
}
