//! Requests and responses.

use coap::code;
use coap::option::{ACCESS_TOKEN, BLOCK1, MAX_AGE, NO_RESPONSE, OSCORE, URI_PATH};

use super::pair::{Pair, content, get};
use super::*;

#[test]
fn a_request_and_its_response_are_what_they_were() {
    let mut pair = Pair::new();
    let plain = Message::new(code::PUT)
        .with_option(URI_PATH, "send")
        .with_uint_option(BLOCK1, 0x0e)
        .with_option(ACCESS_TOKEN, "secret")
        .with_option(NO_RESPONSE, [2])
        .with_payload("body");
    let (mut sent, mut message) = pair.request(plain.clone());
    assert_eq!(message.code, code::POST);
    let outer: Vec<u16> = message.options.iter().map(|option| option.number).collect();
    assert_eq!(outer, [OSCORE]);

    let verified = pair.take(&mut message).unwrap();
    assert_eq!(message, plain);
    let plain = content("12:00").with_uint_option(MAX_AGE, 5);
    let mut response = pair.respond(&verified, plain.clone());
    assert_eq!(response.code, code::CHANGED);
    assert_eq!(response.option(OSCORE), Some(&[][..]));
    pair.device
        .unprotect_response(&mut sent, &mut response)
        .unwrap();
    assert_eq!(response, plain);
}

#[test]
fn a_message_without_the_option_is_left_as_it_is() {
    let mut pair = Pair::new();
    let mut message = get();
    assert!(
        pair.gateway
            .unprotect(pair.now, &mut message)
            .unwrap()
            .is_none()
    );
    assert_eq!(message, get());
}

#[test]
fn a_replay_is_refused_and_so_is_a_request_that_is_too_late() {
    let mut pair = Pair::new();
    let (_, first) = pair.request(get());
    pair.take(&mut first.clone()).unwrap();
    let refused = pair.take(&mut first.clone()).unwrap_err();
    assert_eq!(refused.reason, Refusal::Replay);
    assert_eq!(refused.response.code, code::UNAUTHORIZED);
    assert_eq!(refused.response.uint_option(MAX_AGE), Some(0));

    let (_, late) = pair.request(get());
    for _ in 0..32 {
        let (_, mut message) = pair.request(get());
        pair.take(&mut message).unwrap();
    }
    assert_eq!(pair.refusal(&late), Refusal::Replay);
}

#[test]
fn a_request_that_is_not_authentic_does_not_move_the_window() {
    let mut pair = Pair::new();
    let (_, message) = pair.request(get());
    for byte in 0..message.payload.len() {
        let mut forged = message.clone();
        forged.payload[byte] ^= 1;
        let refused = pair.take(&mut forged).unwrap_err();
        assert_eq!(refused.reason, Refusal::NotAuthentic);
        assert_eq!(refused.response.code, code::BAD_REQUEST);
        forged.payload.truncate(byte);
        assert_eq!(pair.refusal(&forged), Refusal::NotAuthentic);
    }
    pair.take(&mut message.clone()).unwrap();
}

#[test]
fn a_response_verifies_for_its_request_only_and_once() {
    let mut pair = Pair::new();
    let (mut one, mut request) = pair.request(get());
    let (mut other, _) = pair.request(get());
    let verified = pair.take(&mut request).unwrap();
    let response = pair.respond(&verified, content("12:00"));
    let device = &pair.device;
    let verify = |sent: &mut SentRequest| device.unprotect_response(sent, &mut response.clone());
    assert_eq!(verify(&mut other), Err(ResponseError::NotAuthentic));
    assert_eq!(verify(&mut one), Ok(()));
    assert_eq!(verify(&mut one), Err(ResponseError::Replay));
    let plain = device.unprotect_response(&mut other, &mut content("12:00"));
    assert_eq!(plain, Err(ResponseError::NotProtected));
}

#[test]
fn an_unknown_device_and_an_expired_context_get_the_same_response() {
    let mut pair = Pair::new();
    let (_, message) = pair.request(get());
    let kid = pair.parameters.recipient_id;
    assert!(pair.gateway.remove(kid));
    let unknown = pair.take(&mut message.clone()).unwrap_err();
    assert_eq!(unknown.reason, Refusal::UnknownContext);
    assert_eq!(
        pair.gateway.take_refusal(),
        Some((None, Refusal::UnknownContext))
    );

    let expires = Some(pair.now);
    pair.gateway
        .add("kitchen".into(), &pair.parameters, 0, expires)
        .unwrap();
    pair.store();
    let expired = pair.take(&mut message.clone()).unwrap_err();
    assert_eq!(expired.reason, Refusal::Expired);
    let of_kitchen = Some((Some("kitchen".into()), Refusal::Expired));
    assert_eq!(pair.gateway.take_refusal(), of_kitchen);
    assert_eq!(expired.response, unknown.response);
}

#[test]
fn a_context_that_expires_or_is_replaced_protects_no_response_any_more() {
    let mut pair = Pair::new();
    let (_, mut message) = pair.request(get());
    let verified = pair.take(&mut message).unwrap();
    pair.gateway.remove(pair.parameters.recipient_id);
    let refused = |pair: &mut Pair, verified: &Verified| {
        let mut response = content("12:00");
        let result = pair
            .gateway
            .protect(pair.now, verified, Reply::Response, &mut response);
        assert_eq!(response, content("12:00"));
        result.unwrap_err()
    };
    assert_eq!(refused(&mut pair, &verified), CannotProtect::NoContext);
    let expires = Some(pair.now + std::time::Duration::from_secs(5));
    pair.parameters.master_salt = vec![1];
    pair.gateway
        .add("kitchen".into(), &pair.parameters, 0, expires)
        .unwrap();
    pair.store();
    assert_eq!(refused(&mut pair, &verified), CannotProtect::NoContext);

    pair.device = Context::new(&mirrored(&pair.parameters), 0).unwrap();
    let (_, mut message) = pair.request(get());
    let verified = pair.take(&mut message).unwrap();
    pair.advance(5);
    assert_eq!(refused(&mut pair, &verified), CannotProtect::NoContext);
}

#[test]
fn kids_are_unique_and_the_table_is_bounded() {
    let mut pair = Pair::new();
    let taken = pair
        .gateway
        .add("cellar".into(), &pair.parameters, 0, None)
        .unwrap_err();
    assert_eq!(
        taken.to_string(),
        "the recipient ID 01 belongs to kitchen; give each device its own"
    );
    for kid in 2..9 {
        pair.parameters.recipient_id = Identifier::new(&[kid]).unwrap();
        pair.gateway
            .add("other".into(), &pair.parameters, 0, None)
            .unwrap();
    }
    pair.parameters.recipient_id = identifier("09");
    let full = pair.gateway.add("other".into(), &pair.parameters, 0, None);
    assert_eq!(full, Err(AddError::Full(8)));
}

#[test]
fn a_context_takes_less_than_1_kib() {
    // A map of hashes has up to twice the places that it uses, and a byte for each.
    let bytes = 2 * (Contexts::ENTRY_BYTES + 1) + MAX_ID_CONTEXT_BYTES;
    assert!((1..1024).contains(&bytes), "{bytes}");
}
