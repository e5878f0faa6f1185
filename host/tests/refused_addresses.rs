//! A device whose address may not use the gateway's token gets 4.01, and the log says which setting would let it in.

use coap::{code, option};

use crate::captured::Captured;
use crate::default_rule::gateway;
use crate::exchange::{request, response_to, send};
use crate::http_call::homeserver;
use crate::stub::Stub;

#[tokio::test]
async fn the_log_names_the_setting_once_for_each_address() {
    let stub = Stub::content();
    let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    let captured = Captured::start();
    let lines = || {
        let text = captured.text();
        let lines = text.lines().filter(|line| line.contains("token_peers"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for port in [5683, 5684, 5685] {
        let device = format!("[2001:db8::1]:{port}");
        let response = response_to(&gateway, &device, send()).await;
        assert_eq!(response.code, code::UNAUTHORIZED);
    }
    assert_eq!(lines().len(), 1, "{:?}", lines());
    assert!(lines()[0].contains("2001:db8::1"), "{:?}", lines());
    response_to(&gateway, "192.0.2.7:5683", send()).await;
    assert!(lines()[1].contains("192.0.2.7"), "{:?}", lines());
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn no_setting_is_named_where_none_would_help() {
    let stub = Stub::content();
    let captured = Captured::start();
    let without_token = gateway(vec![homeserver(stub.url(), None)]);
    let response = response_to(&without_token, "[2001:db8::1]:5683", send()).await;
    assert_eq!(response.code, code::UNAUTHORIZED);
    let with_token = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    for device in ["[2001:db8::1]:5683", "127.0.0.1:5683"] {
        let response = response_to(&with_token, device, request(code::POST, "logout")).await;
        assert_eq!(response.code, code::UNAUTHORIZED);
    }
    let own = send().with_option(option::ACCESS_TOKEN, "own");
    response_to(&with_token, "[2001:db8::1]:5683", own).await;
    let text = captured.text();
    assert!(!text.contains("token_peers"), "{text}");
}
