//! Where packets may go: `--allow-any-homeserver` is no way into the local network.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::gateway::Gateway;
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::json;

use crate::stage::send_to;

#[test]
fn any_homeserver_means_none_on_this_machine_or_its_network() {
    let own = Stub::always(Behaviour::json(200, json!({ "event_id": "$own" })));
    let inside = Stub::always(Behaviour::json(200, json!({ "event_id": "$inside" })));
    let gateway = Gateway::start(&["--homeserver", &own.origin, "--allow-any-homeserver"]);
    let mut device = Aiocoap::start(gateway.address);
    let port = inside.origin.rsplit(':').next().expect("it has a port");
    let hosts = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "127.1",
        "0x7f000001",
        "2130706433",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "224.0.0.1",
        "100.64.0.1",
        "[::]",
    ];
    for host in hosts {
        for scheme in ["http", "https"] {
            let origin = format!("{scheme}://{host}:{port}");
            let response = device.request(&send_to(&origin));
            assert!(
                response.code == "5.05"
                    || response.code == "4.00"
                    || (scheme == "https"
                        && host == "localhost"
                        && response.code.starts_with("5.")),
                "{origin} got {response:?}"
            );
        }
    }
    assert_eq!(inside.connections(), 0, "no packet went there");
    assert_eq!(
        device.request(&send_to(&own.origin)).code,
        "2.04",
        "the configured one is allowed"
    );
}

#[test]
fn each_configured_homeserver_is_reached_and_each_gets_only_its_own_requests() {
    let stubs = ["$first", "$second", "$third"]
        .map(|event_id| Stub::always(Behaviour::json(200, json!({ "event_id": event_id }))));
    let arguments: Vec<&str> = stubs
        .iter()
        .flat_map(|stub| ["--homeserver", stub.origin.as_str()])
        .collect();
    let gateway = Gateway::start(&arguments);
    let mut device = Aiocoap::start(gateway.address);
    for (stub, event_id) in stubs.iter().zip(["$first", "$second", "$third"]) {
        assert_eq!(
            device.request(&send_to(&stub.origin)).field("event_id"),
            event_id
        );
        assert_eq!(stub.received().len(), 1);
        assert_eq!(
            stub.received()[0].header("authorization"),
            Some("Bearer a-token")
        );
    }
}
