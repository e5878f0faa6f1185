//! Options outside the protected part, which anybody on the way can change.

use coap::code;
use coap::option::*;

use super::pair::{Pair, get};
use super::*;

/// A request of the device on which somebody on the way has left an option.
fn changed(
    pair: &mut Pair,
    plain: Message,
    number: u16,
    value: &[u8],
) -> (Message, Result<Verified, Refused>) {
    let (_, mut message) = pair.request(plain);
    message.push_option(number, value);
    let taken = pair.take(&mut message);
    (message, taken)
}

#[test]
fn options_of_class_e_count_only_inside() {
    let mut pair = Pair::new();
    for number in [
        IF_MATCH,
        ETAG,
        IF_NONE_MATCH,
        OBSERVE,
        URI_PATH,
        CONTENT_FORMAT,
        MAX_AGE,
        URI_QUERY,
        ACCEPT,
        BLOCK1,
        BLOCK2,
        SIZE1,
        SIZE2,
        ECHO,
        ACCESS_TOKEN,
        NO_RESPONSE,
        REQUEST_TAG,
        65_000,
    ] {
        let (message, taken) = changed(&mut pair, get(), number, b"x");
        assert!(taken.is_ok(), "{number}");
        assert_eq!(message, get(), "{number}");
    }
}

#[test]
fn host_and_port_may_be_outside_unless_they_are_inside() {
    let mut pair = Pair::new();
    let (message, taken) = changed(&mut pair, get(), URI_HOST, b"gateway");
    assert!(taken.is_ok());
    assert_eq!(message, get().with_option(URI_HOST, "gateway"));
    // A target inside is whole: a host outside would move it elsewhere.
    let target = get().with_option(PROXY_SCHEME, "https");
    let (message, taken) = changed(&mut pair, target.clone(), URI_HOST, b"evil.example");
    assert!(taken.is_ok());
    assert_eq!(message, target);
}

#[test]
fn a_proxy_target_inside_is_accepted() {
    let mut pair = Pair::new();
    let plain = get()
        .with_option(PROXY_URI, "https://matrix.example/")
        .with_option(URI_HOST, "gateway");
    let (_, mut message) = pair.request(plain.clone());
    assert_eq!(message.options.len(), 1);
    pair.take(&mut message).unwrap();
    assert_eq!(message, plain);
}

#[test]
fn a_proxy_target_outside_is_refused_and_the_request_stays_good() {
    let mut pair = Pair::new();
    for number in [PROXY_URI, PROXY_SCHEME] {
        let (_, message) = pair.request(get());
        let refused = pair
            .take(&mut message.clone().with_option(number, "https"))
            .unwrap_err();
        assert_eq!(refused.reason, Refusal::OuterProxy);
        assert_eq!(refused.response.code, code::BAD_OPTION);
        pair.take(&mut message.clone()).unwrap();
    }
}

#[test]
fn a_proxy_target_outside_is_accepted_if_the_device_is_bound_to_it() {
    let mut pair = Pair::new();
    pair.gateway.allow_outer_proxy(|principal, target| {
        principal == "kitchen" && target.uri == Some(b"https://own.example")
    });
    let (message, taken) = changed(&mut pair, get(), PROXY_URI, b"https://own.example");
    assert!(taken.is_ok());
    assert_eq!(message, get().with_option(PROXY_URI, "https://own.example"));
    let (_, taken) = changed(&mut pair, get(), PROXY_URI, b"https://evil.example");
    assert_eq!(taken.unwrap_err().reason, Refusal::OuterProxy);
    // The one inside counts.
    let inside = get().with_option(PROXY_URI, "https://other.example");
    let (message, taken) = changed(&mut pair, inside.clone(), PROXY_URI, b"https://own.example");
    assert!(taken.is_ok());
    assert_eq!(message, inside);
}

#[test]
fn critical_options_that_nobody_knows_are_refused_and_the_request_stays_good() {
    let mut pair = Pair::new();
    for number in [65_001, OSCORE, 21] {
        let (_, message) = pair.request(get());
        let forged = message.clone().with_option(number, [9]);
        assert_eq!(pair.refusal(&forged), Refusal::OuterOption(number));
        pair.take(&mut message.clone()).unwrap();
    }
}

#[test]
fn the_code_outside_does_not_count() {
    let mut pair = Pair::new();
    let (_, mut message) = pair.request(get());
    message.code = code::DELETE;
    pair.take(&mut message).unwrap();
    assert_eq!(message, get());
}

#[test]
fn a_kid_context_must_be_that_of_the_context() {
    let mut pair = Pair::new();
    let (_, message) = pair.request(get());
    let mut with_context = message.clone();
    with_context.set_option(OSCORE, [0x19, 0, 1, 7, 1]);
    assert_eq!(pair.refusal(&with_context), Refusal::UnknownContext);
    for malformed in [&[][..], &[0x01, 0], &[0x08, 1], &[0xe9, 0, 1]] {
        let mut message = message.clone();
        message.set_option(OSCORE, malformed);
        let refused = pair.take(&mut message).unwrap_err();
        assert_eq!(refused.reason, Refusal::Malformed);
        assert_eq!(refused.response.code, code::BAD_OPTION);
        assert_eq!(refused.response.payload, b"Failed to decode COSE");
    }
}
