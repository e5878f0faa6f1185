//! What a request says about where it is meant for, and about the answer that it already has.

use coap::{Message, code, option};

use crate::exchange::{answer, request};
use crate::refusals::{Quiet, proxied};

#[tokio::test]
async fn a_request_that_names_this_gateway_itself_is_answered_here() {
    let quiet = Quiet::new();
    let uri = |uri: &str| Message::new(code::GET).with_option(option::PROXY_URI, uri);
    for message in [
        uri("coap://192.0.2.1/time"),
        uri("coap://192.0.2.1:5683/.well-known/core?href=/time"),
        request(code::GET, "time")
            .with_option(option::PROXY_SCHEME, "coap")
            .with_option(option::URI_HOST, "192.0.2.1"),
    ] {
        let answer = answer(&quiet.gateway, message).await;
        assert_eq!(answer.code, code::CONTENT, "{answer:?}");
    }
    let unknown = ("unknown path", uri("coap://192.0.2.1/nothing"));
    quiet.refuses(code::NOT_FOUND, vec![unknown]).await;
    let cases = vec![
        ("another server", uri("coap://192.0.2.2/time")),
        ("secured", uri("coaps://192.0.2.1/time")),
    ];
    quiet.refuses(code::PROXYING_NOT_SUPPORTED, cases).await;
}

#[tokio::test]
async fn hop_limit_forbids_forwarding_at_1_and_has_no_other_value_than_1_to_255() {
    let quiet = Quiet::new();
    let to_homeserver = || proxied(format!("{}9/!r:h/m.room.message/1", quiet.stub.url()));
    let time = || request(code::GET, "time");
    let with = |message: Message, value: &[u8]| message.with_option(option::HOP_LIMIT, value);
    let last = ("the last hop", with(to_homeserver(), &[1]));
    quiet.refuses(code::HOP_LIMIT_REACHED, vec![last]).await;
    let cases = vec![
        ("0", with(time(), &[0])),
        ("empty, which is 0", with(time(), &[])),
        ("256", with(time(), &[1, 0])),
        ("5 bytes", with(time(), &[0, 0, 0, 0, 1])),
        ("of a request to a homeserver", with(to_homeserver(), &[0])),
    ];
    quiet.refuses(code::BAD_REQUEST, cases).await;
    for value in [1, 255] {
        let local = answer(&quiet.gateway, with(time(), &[value])).await;
        assert_eq!(local.code, code::CONTENT, "nothing is forwarded");
    }
}

#[tokio::test]
async fn a_method_that_nobody_has_is_4_05_on_any_path() {
    let quiet = Quiet::new();
    let cases = vec![
        ("0.08", request(8, "nothing")),
        ("0.31", request(31, "time")),
        ("PATCH", request(code::PATCH, "time")),
        ("iPATCH", request(code::IPATCH, "send/!r:h")),
        ("FETCH", request(code::FETCH, ".well-known/core")),
    ];
    quiet.refuses(code::METHOD_NOT_ALLOWED, cases).await;
}

#[tokio::test]
async fn who_has_the_list_of_resources_gets_2_03() {
    let quiet = Quiet::new();
    let discovery = || request(code::GET, ".well-known/core");
    let first = answer(&quiet.gateway, discovery()).await;
    let tag = first.option(option::ETAG).expect("an ETag").to_vec();
    let asks = discovery()
        .with_option(option::ETAG, "other")
        .with_option(option::ETAG, tag.clone());
    let valid = answer(&quiet.gateway, asks).await;
    assert_eq!(
        valid,
        Message::new(code::VALID).with_option(option::ETAG, tag)
    );
    let insists = discovery().with_option(
        option::IF_MATCH,
        first.option(option::ETAG).unwrap_or_default(),
    );
    assert_eq!(answer(&quiet.gateway, insists).await, first);
}

#[tokio::test]
async fn problem_details_alone_are_no_reason_to_refuse_an_error() {
    let quiet = Quiet::new();
    let asks = |message: Message| message.with_uint_option(option::ACCEPT, 257);
    let unknown = ("unknown path", asks(request(code::GET, "nothing")));
    quiet.refuses(code::NOT_FOUND, vec![unknown]).await;
    let no_format = ("no format", asks(request(code::PUT, "send/!r:h/1")));
    quiet
        .refuses(code::UNSUPPORTED_CONTENT_FORMAT, vec![no_format])
        .await;
    let success = answer(&quiet.gateway, asks(request(code::GET, "time"))).await;
    assert_eq!(success.code, code::NOT_ACCEPTABLE);
    // Nothing is done for an answer that cannot be given.
    let send = ("send", asks(crate::exchange::send()));
    quiet.refuses(code::NOT_ACCEPTABLE, vec![send]).await;
}
