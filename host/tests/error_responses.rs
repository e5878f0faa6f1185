//! Error responses of the gateway itself: no rule is called, and no packet leaves.

use coap::code::Dotted;
use coap::{Message, code, option};
use gateway::request::Gateway;

use crate::default_rule::{calls, gateway};
use crate::exchange::{TEXT, request, response, send};
use crate::http_call::homeserver;
use crate::stub::Stub;

/// Each of these requests gets this code, and a diagnostic.
async fn get_error(gateway: &Gateway, expected: u8, cases: Vec<(&str, Message)>) {
    for (what, message) in cases {
        let before = calls(gateway);
        let response = response(gateway, message).await;
        assert_eq!(
            Dotted(response.code),
            Dotted(expected),
            "{what}: {}",
            String::from_utf8_lossy(&response.payload)
        );
        assert_eq!(response.option(option::CONTENT_FORMAT), None, "{what}");
        assert!(response.payload.len() > 20, "{what}");
        assert!(std::str::from_utf8(&response.payload).is_ok(), "{what}");
        assert_eq!(calls(gateway), before, "{what}");
    }
}

/// A gateway whose homeserver must not get a call.
pub struct Quiet {
    pub stub: Stub,
    pub gateway: Gateway,
}

impl Quiet {
    pub fn new() -> Self {
        let stub = Stub::content();
        let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
        Self { stub, gateway }
    }

    /// Each of these requests gets this error response, and no packet leaves.
    pub async fn responds_with(&self, expected: u8, cases: Vec<(&str, Message)>) {
        get_error(&self.gateway, expected, cases).await;
        assert_eq!(self.stub.connections(), 0);
    }
}

/// A message with its room and transaction in this Proxy-Uri.
pub fn proxied(uri: impl Into<Vec<u8>>) -> Message {
    request(code::PUT, "send")
        .with_uint_option(option::CONTENT_FORMAT, 60)
        .with_payload(TEXT)
        .with_option(option::PROXY_URI, uri)
}

#[tokio::test]
async fn an_unknown_path_is_4_04_and_an_unknown_method_4_05() {
    let quiet = Quiet::new();
    let paths = [
        "nothing",
        "time/now",
        "send/a/b/c",
        ".well-known",
        "Time",
        "",
    ];
    let paths = paths.map(|path| (path, request(code::GET, path)));
    quiet.responds_with(code::NOT_FOUND, paths.into()).await;
    let none = ("no path", Message::new(code::GET));
    quiet.responds_with(code::NOT_FOUND, vec![none]).await;
    let methods = [
        ("POST", request(code::POST, "time")),
        ("DELETE", request(code::DELETE, "logout")),
        ("FETCH", request(code::FETCH, "getmsg/!r:h")),
        ("0.31", request(31, "time")),
        ("PUT of discovery", request(code::PUT, ".well-known/core")),
    ];
    quiet
        .responds_with(code::METHOD_NOT_ALLOWED, methods.into())
        .await;
}

#[tokio::test]
async fn a_path_that_is_not_text_or_that_a_server_could_resolve_is_4_00() {
    let quiet = Quiet::new();
    let raw = Message::new(code::GET).with_option(option::URI_PATH, [0xff]);
    let cases = vec![
        ("no text", raw),
        ("dots", request(code::PUT, "send/..")),
        ("dot", request(code::PUT, "send/./1")),
        ("empty", request(code::PUT, "send//1")),
        ("end", request(code::GET, "time/")),
        ("control", request(code::PUT, "send/a\n")),
    ];
    quiet.responds_with(code::BAD_REQUEST, cases).await;
}

#[tokio::test]
async fn a_content_format_that_the_resource_does_not_accept_is_4_15() {
    let quiet = Quiet::new();
    let with = |message: Message, format| {
        let message = message.with_payload(TEXT);
        message.with_uint_option(option::CONTENT_FORMAT, format)
    };
    let put = |format| with(request(code::PUT, "send/!r:h/1"), format);
    let cases = vec![
        ("link-format", put(40)),
        ("too wide", put(60 + 65_536)),
        ("text of a login", with(request(code::POST, "login"), 0)),
    ];
    quiet
        .responds_with(code::UNSUPPORTED_CONTENT_FORMAT, cases)
        .await;
}

#[tokio::test]
async fn an_accept_that_cannot_be_met_is_4_06() {
    let quiet = Quiet::new();
    let accept = |message: Message, format| message.with_uint_option(option::ACCEPT, format);
    let cases = vec![
        ("text of join", accept(request(code::POST, "join/!r:h"), 0)),
        ("CBOR of time", accept(request(code::GET, "time"), 60)),
        ("unknown", accept(request(code::GET, "getmsg/!r:h"), 65_000)),
        (
            "JSON of discovery",
            accept(request(code::GET, ".well-known/core"), 50),
        ),
    ];
    quiet.responds_with(code::NOT_ACCEPTABLE, cases).await;
}

#[tokio::test]
async fn a_precondition_that_no_resource_here_can_meet_is_4_12() {
    let quiet = Quiet::new();
    let time = || request(code::GET, "time");
    let discovery = || request(code::GET, ".well-known/core");
    let cases = vec![
        ("If-Match", send().with_option(option::IF_MATCH, "a")),
        (
            "two",
            send()
                .with_option(option::IF_MATCH, "a")
                .with_option(option::IF_MATCH, "b"),
        ),
        (
            "If-None-Match",
            send().with_option(option::IF_NONE_MATCH, ""),
        ),
        ("of time", time().with_option(option::IF_NONE_MATCH, "")),
        (
            "of discovery",
            discovery().with_option(option::IF_MATCH, "a"),
        ),
        (
            "none of discovery",
            discovery().with_option(option::IF_NONE_MATCH, ""),
        ),
    ];
    quiet.responds_with(code::PRECONDITION_FAILED, cases).await;
    let exists = time().with_option(option::IF_MATCH, "");
    assert_eq!(response(&quiet.gateway, exists).await.code, code::CONTENT);
}

#[tokio::test]
async fn an_option_256_that_is_not_a_token_is_4_00() {
    let quiet = Quiet::new();
    let with = |token: &[u8]| send().with_option(option::ACCESS_TOKEN, token);
    let cases = vec![
        ("empty", with(b"")),
        ("no text", with(b"\xff\xfe")),
        ("two lines", with(b"a\r\nX: b")),
        ("too long", with(&[b'a'; 1025])),
        ("nothing after Bearer", with(b"Bearer ")),
    ];
    quiet.responds_with(code::BAD_REQUEST, cases).await;
}

#[tokio::test]
async fn a_proxy_uri_that_does_not_parse_is_4_00() {
    let quiet = Quiet::new();
    let origin = quiet.stub.url();
    let cases = vec![
        ("no URI", proxied("9/!r:h/m.room.message/1")),
        ("no text", proxied([0xff])),
        ("dots", proxied(format!("{origin}9/../x"))),
        ("escaped dots", proxied(format!("{origin}9/%2e%2E/x"))),
        (
            "fragment",
            proxied(format!("{origin}9/#a:h/m.room.message/1")),
        ),
        ("control", proxied(format!("{origin}9/a%0db"))),
        ("port", proxied("http://127.0.0.1:99999/4")),
    ];
    quiet.responds_with(code::BAD_REQUEST, cases).await;
}

#[tokio::test]
async fn a_proxy_uri_to_another_origin_is_5_05_and_no_packet_leaves() {
    let quiet = Quiet::new();
    let aim = Stub::content();
    let path = "9/!r:h/m.room.message/1";
    let with_user = quiet
        .stub
        .url()
        .to_string()
        .replace("http://", "http://u:p@");
    let cases = vec![
        ("another port", proxied(format!("{}{path}", aim.url()))),
        (
            "another name",
            proxied(format!("{}{path}", quiet.stub.origin("http", "localhost"))),
        ),
        (
            "another scheme",
            proxied(format!("{}{path}", quiet.stub.origin("https", "127.0.0.1"))),
        ),
        ("user info", proxied(format!("{with_user}{path}"))),
        ("ftp", proxied("ftp://127.0.0.1/4")),
        ("coap", proxied("coap://198.51.100.1/4")),
        (
            "unknown path",
            request(code::GET, "nothing")
                .with_option(option::PROXY_URI, format!("{}4", quiet.stub.url())),
        ),
        (
            "no path of a resource",
            Message::new(code::GET)
                .with_option(option::PROXY_URI, format!("{}5", quiet.stub.url())),
        ),
        (
            "Proxy-Scheme",
            send().with_option(option::PROXY_SCHEME, "http"),
        ),
    ];
    quiet
        .responds_with(code::PROXYING_NOT_SUPPORTED, cases)
        .await;
    assert_eq!(aim.connections(), 0);
}
