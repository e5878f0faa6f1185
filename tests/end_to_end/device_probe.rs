//! `comatrix-gateway device probe`: what it says of paths to the real gateway.

use std::net::SocketAddr;

use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::Scratch;
use comatrix_tests::stub::{Behaviour, Stub};
use comatrix_tests::wire::{Loss, Wire};
use serde_json::{Value, json};

/// A homeserver that knows the token, and no room.
fn homeserver() -> Stub {
    let error = json!({ "errcode": "M_FORBIDDEN", "error": "not in this room" });
    Stub::always(Behaviour::json(403, error))
}

fn probe(address: SocketAddr) -> Value {
    let uri = format!("coap://{address}");
    let output = gateway::run(&["device", "probe", &uri, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("--json prints one object")
}

#[test]
fn a_good_path_to_a_gateway_with_a_token_carries_everything() {
    let stub = homeserver();
    let scratch = Scratch::new("probe");
    let token = scratch.write("token", "t").display().to_string();
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--access-token-file", &token]);
    let found = probe(gateway.address);
    for (name, value) in [
        ("messages", json!(20)),
        ("lost", json!(0)),
        ("largest_request", json!(1_152)),
        ("block_in_request", json!(1_024)),
        ("unasked_block", json!(64)),
        ("response_limited_to_block", Value::Null),
        ("block_wise_responses", json!(true)),
        ("block_wise_requests", json!(true)),
        ("access_token", json!("gateway")),
        ("incomplete", json!(false)),
    ] {
        assert_eq!(found[name], value, "{name} in {found}");
    }
    assert!(found["ping_ms"].is_number(), "{found}");
    assert!(
        found["largest_response_payload"].as_u64() > Some(128),
        "{found}"
    );
    let asked = stub.received();
    let reads = asked.iter().all(|request| request.method == "GET");
    assert!(reads && !asked.is_empty(), "{asked:?}");
}

#[test]
fn a_path_with_loss_and_a_largest_datagram_is_measured_to_the_byte() {
    let stub = homeserver();
    let gateway = Gateway::start(&["--homeserver", &stub.origin]);
    let loss = Loss {
        percent: 10,
        seed: 5,
    };
    let found = probe(Wire::of_width(gateway.address, loss, 128).address);
    for (name, value) in [
        ("largest_request", json!(128)),
        ("block_in_request", json!(64)),
        ("response_limited_to_block", json!(64)),
        ("block_wise_responses", json!(true)),
        ("block_wise_requests", json!(true)),
        ("access_token", json!("own")),
    ] {
        assert_eq!(found[name], value, "{name} in {found}");
    }
    assert!(found["lost"].as_u64() > Some(0), "{found}");
    assert!(found["largest_response"].as_u64() <= Some(128), "{found}");
    assert_eq!(stub.connections(), 0);
}

#[test]
fn a_probe_without_a_gateway_ends_with_the_status_and_the_remedy_of_all_commands() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let uri = format!("coap://{}", closed.expect("a free port"));
    let output = gateway::run(&["device", "probe", &uri]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(
        text.contains("nothing listens") && text.contains("start the gateway"),
        "{text}"
    );
    assert_eq!(
        gateway::run(&["device", "probe", "nonsense"]).status.code(),
        Some(2)
    );
}
