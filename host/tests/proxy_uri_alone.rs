//! Requests with Proxy-Uri and without Uri-Path, as RFC 7252 §5.10.2 wants them: the path of the Proxy-Uri leads to the
//! resource.

use coap::{Message, code, option};
use gateway::request::Gateway;

use crate::default_rule::gateway;
use crate::error_responses::Quiet;
use crate::exchange::{response, response_to};
use crate::http_call::homeserver;
use crate::over_udp::{Client, PATIENCE, quiet, while_serving};
use crate::stub::{Reaction, Stub};

const ACCOUNT: &str = r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy"}}"#;
const LOGIN: &str =
    r#"{"type":"m.login.password","identifier":{"type":"m.id.user","user":"u"},"password":"p"}"#;
const TEXT: &str = r#"{"body":"b"}"#;

/// Method, payload, path of the Proxy-Uri, and path of the homeserver's call below the client-server API.
const FORMS: [(u8, &str, &str, &str); 15] = [
    (2, ACCOUNT, "4", "register"),
    (2, ACCOUNT, "_matrix/client/r0/register", "register"),
    (2, LOGIN, "1", "login"),
    (2, LOGIN, "_matrix/client/v3/login", "login"),
    (2, "", "3", "logout"),
    (2, "", "_matrix/client/v1/logout", "logout"),
    (2, "", "_matrix/client/r0/logout/all", "logout/all"),
    (2, "", "K/!r:h", "rooms/!r:h/join"),
    (2, "", "L/!r:h", "rooms/!r:h/join"),
    (
        2,
        "",
        "_matrix/client/r0/rooms/!r:h/join",
        "rooms/!r:h/join",
    ),
    (2, "", "_matrix/client/v3/join/!r:h", "rooms/!r:h/join"),
    (
        3,
        TEXT,
        "9/!r:h/m.room.message/7",
        "rooms/!r:h/send/m.room.message/*",
    ),
    (
        3,
        TEXT,
        "_matrix/client/r0/rooms/!r:h/send/m.room.message/7",
        "rooms/!r:h/send/m.room.message/*",
    ),
    (1, "", "E/!r:h", "rooms/!r:h/messages"),
    (
        1,
        "",
        "_matrix/client/r0/rooms/!r:h/messages?dir=b&limit=1",
        "rooms/!r:h/messages",
    ),
];

/// What every homeserver call of [`FORMS`] may be answered with.
const RESPONSE: &str = r#"{"access_token":"x","room_id":"!r:h","event_id":"$x","chunk":[
    {"type":"m.room.message","sender":"@a","content":{"msgtype":"m.text","body":"b"}}]}"#;

fn alone(method: u8, uri: String, payload: &str) -> Message {
    Message::new(method)
        .with_option(option::PROXY_URI, uri)
        .with_payload(payload)
}

fn responding() -> (Gateway, Stub) {
    let stub = Stub::start(|_| Reaction::Json(200, RESPONSE.into()));
    let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    (gateway, stub)
}

#[tokio::test]
async fn every_resource_is_found_by_its_short_and_its_full_forms() {
    for (method, payload, form, called) in FORMS {
        let (gateway, stub) = responding();
        let request = alone(method, format!("{}{form}", stub.url()), payload)
            .with_option(option::ACCESS_TOKEN, "own");
        let response = response(&gateway, request).await;
        assert_eq!(code::class(response.code), 2, "{form}: {response:?}");
        let target = stub.only().target;
        let path = target.split('?').next().unwrap_or_default();
        // The last segment of a message's path is its transaction id.
        let (path, called) = match called.strip_suffix("/*") {
            Some(called) => (path.rsplit_once('/').expect("it is a path").0, called),
            None => (path, called),
        };
        assert_eq!(path, format!("/_matrix/client/v3/{called}"), "{form}");
    }
}

#[tokio::test]
async fn the_checks_are_those_of_a_request_with_uri_path() {
    let quiet = Quiet::new();
    let here = |path: &str| format!("{}{path}", quiet.stub.url());
    let send = "9/!r:h/m.room.message/7";
    let elsewhere = format!("http://192.0.2.9/{send}");
    let cases = vec![
        ("another homeserver", alone(3, elsewhere, TEXT)),
        (
            "no resource",
            alone(3, here("_matrix/client/v3/sync"), TEXT),
        ),
        ("the root", alone(1, here(""), "")),
        ("user info", alone(3, format!("http://u@h/{send}"), TEXT)),
    ];
    quiet
        .responds_with(code::PROXYING_NOT_SUPPORTED, cases)
        .await;
    let cases = vec![
        ("GET of a send", alone(1, here(send), "")),
        ("DELETE of a room", alone(4, here("E/!r:h"), "")),
    ];
    quiet.responds_with(code::METHOD_NOT_ALLOWED, cases).await;
    let cases = vec![
        ("dots", alone(1, here("E/.."), "")),
        ("no URI", alone(1, "E/!r:h".into(), "")),
    ];
    quiet.responds_with(code::BAD_REQUEST, cases).await;
    let format = alone(3, here(send), TEXT).with_uint_option(option::CONTENT_FORMAT, 42);
    quiet
        .responds_with(code::UNSUPPORTED_CONTENT_FORMAT, vec![("format", format)])
        .await;
    let accept = alone(3, here(send), TEXT).with_uint_option(option::ACCEPT, 42);
    quiet
        .responds_with(code::NOT_ACCEPTABLE, vec![("accept", accept)])
        .await;
    let snapshots = &quiet.gateway.snapshots;
    snapshots.update(|snapshot| snapshot.disabled = ["send".to_owned()].into());
    let disabled = vec![("disabled", alone(3, here(send), TEXT))];
    quiet
        .responds_with(code::PROXYING_NOT_SUPPORTED, disabled)
        .await;
}

#[tokio::test]
async fn the_gateways_token_is_only_for_its_peers_and_its_homeserver() {
    let (gateway, stub) = responding();
    let request = || alone(1, format!("{}E/!r:h", stub.url()), "");
    let stranger = response_to(&gateway, "[2001:db8::1]:5683", request()).await;
    assert_eq!(stranger.code, code::UNAUTHORIZED, "{stranger:?}");
    assert_eq!(stub.connections(), 0);
    assert_eq!(response(&gateway, request()).await.code, code::CONTENT);
    let logout = alone(2, format!("{}3", stub.url()), "");
    assert_eq!(response(&gateway, logout).await.code, code::UNAUTHORIZED);
}

#[tokio::test]
async fn every_address_of_the_gateway_is_its_own() {
    let (gateway, _stub) = quiet();
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut client = Client::new(address).await;
        let port = address.port();
        for (host, expected) in [
            ("127.0.0.1", code::CONTENT),
            ("127.0.0.2", code::CONTENT),
            ("[::1]", code::CONTENT),
            ("198.51.100.1", code::PROXYING_NOT_SUPPORTED),
        ] {
            let uri = format!("coap://{host}:{port}/time");
            let response = client.request(alone(1, uri, "")).await.message;
            assert_eq!(response.code, expected, "{host}");
        }
    })
    .await;
}
