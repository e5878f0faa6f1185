//! Requests with a Proxy-Uri, a Hop-Limit, an unknown method, or conditions on the response.

use coap::{Message, code, option};

use crate::error_responses::{Quiet, proxied};
use crate::exchange::{request, response};

#[tokio::test]
async fn a_request_that_names_this_gateway_itself_is_a_local_request() {
    let quiet = Quiet::new();
    let uri = |uri: &str| Message::new(code::GET).with_option(option::PROXY_URI, uri);
    for message in [
        uri("coap://192.0.2.1/time"),
        uri("coap://192.0.2.1:5683/.well-known/core?href=/time"),
        request(code::GET, "time")
            .with_option(option::PROXY_SCHEME, "coap")
            .with_option(option::URI_HOST, "192.0.2.1"),
    ] {
        let response = response(&quiet.gateway, message).await;
        assert_eq!(response.code, code::CONTENT, "{response:?}");
    }
    let unknown = ("unknown path", uri("coap://192.0.2.1/nothing"));
    quiet.responds_with(code::NOT_FOUND, vec![unknown]).await;
    let cases = vec![
        ("another server", uri("coap://198.51.100.2/time")),
        ("secured", uri("coaps://192.0.2.1/time")),
    ];
    quiet
        .responds_with(code::PROXYING_NOT_SUPPORTED, cases)
        .await;
}

#[tokio::test]
async fn hop_limit_forbids_forwarding_at_1_and_has_no_other_value_than_1_to_255() {
    let quiet = Quiet::new();
    let to_homeserver = || proxied(format!("{}9/!r:h/m.room.message/1", quiet.stub.url()));
    let time = || request(code::GET, "time");
    let with = |message: Message, value: &[u8]| message.with_option(option::HOP_LIMIT, value);
    let last = ("the last hop", with(to_homeserver(), &[1]));
    quiet
        .responds_with(code::HOP_LIMIT_REACHED, vec![last])
        .await;
    let cases = vec![
        ("0", with(time(), &[0])),
        ("empty, which is 0", with(time(), &[])),
        ("256", with(time(), &[1, 0])),
        ("5 bytes", with(time(), &[0, 0, 0, 0, 1])),
        ("of a request to a homeserver", with(to_homeserver(), &[0])),
    ];
    quiet.responds_with(code::BAD_REQUEST, cases).await;
    for value in [1, 255] {
        let local = response(&quiet.gateway, with(time(), &[value])).await;
        assert_eq!(local.code, code::CONTENT, "nothing is forwarded");
    }
}

#[tokio::test]
async fn a_method_that_no_resource_has_is_4_05_on_any_path() {
    let quiet = Quiet::new();
    let cases = vec![
        ("0.08", request(8, "nothing")),
        ("0.31", request(31, "time")),
        ("PATCH", request(code::PATCH, "time")),
        ("iPATCH", request(code::IPATCH, "send/!r:h")),
        ("FETCH", request(code::FETCH, ".well-known/core")),
    ];
    quiet.responds_with(code::METHOD_NOT_ALLOWED, cases).await;
}

#[tokio::test]
async fn a_client_that_has_the_list_of_resources_gets_2_03() {
    let quiet = Quiet::new();
    let discovery = || request(code::GET, ".well-known/core");
    let first = response(&quiet.gateway, discovery()).await;
    let tag = first.option(option::ETAG).expect("an ETag").to_vec();
    let asks = discovery()
        .with_option(option::ETAG, "other")
        .with_option(option::ETAG, tag.clone());
    let valid = response(&quiet.gateway, asks).await;
    assert_eq!(
        valid,
        Message::new(code::VALID).with_option(option::ETAG, tag)
    );
    let insists = discovery().with_option(
        option::IF_MATCH,
        first.option(option::ETAG).unwrap_or_default(),
    );
    assert_eq!(response(&quiet.gateway, insists).await, first);
}

#[tokio::test]
async fn an_accept_of_problem_details_alone_gets_errors_and_no_success() {
    let quiet = Quiet::new();
    let asks = |message: Message| message.with_uint_option(option::ACCEPT, 257);
    let unknown = ("unknown path", asks(request(code::GET, "nothing")));
    quiet.responds_with(code::NOT_FOUND, vec![unknown]).await;
    let put = request(code::PUT, "send/!r:h/1").with_uint_option(option::CONTENT_FORMAT, 42);
    quiet
        .responds_with(
            code::UNSUPPORTED_CONTENT_FORMAT,
            vec![("format", asks(put))],
        )
        .await;
    let success = response(&quiet.gateway, asks(request(code::GET, "time"))).await;
    assert_eq!(success.code, code::NOT_ACCEPTABLE);
    // Nothing is sent if no success would be acceptable.
    let send = ("send", asks(crate::exchange::send()));
    quiet.responds_with(code::NOT_ACCEPTABLE, vec![send]).await;
}
