//! The effect of the command line and the configuration file on a gateway that does start.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{CBOR, JSON, Request};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::json;

use crate::stage::{self, send_to};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_names_every_option_of_the_gateway() {
    let output = gateway::run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let options = [
        "--ip",
        "--port",
        "--homeserver",
        "--allow-any-homeserver",
        "--access-token-file",
        "--config",
    ];
    for option in options
        .iter()
        .chain(&["--ca-file", "--log-level", "--rule", "--cache-dir"])
    {
        assert!(text(&output.stdout).contains(option), "{option}");
    }
}

#[test]
fn a_configuration_file_sets_the_options_that_the_command_line_omits() {
    let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
    let scratch = Scratch::new("configuration");
    scratch.write("token", "token-of-the-file\n");
    let config = format!(
        "log_level = \"debug\"\naccess_token_file = \"token\"\n\n[[homeserver]]\nurl = \"{}\"\n\n[rooms]\nkitchen = \
         \"!abc:localhost\"\n",
        stub.origin
    );
    let config = scratch.write("gateway.toml", &config).display().to_string();
    let gateway = Gateway::start(&["--config", &config]);
    let mut device = Aiocoap::start(gateway.address);
    let send = Request::new("PUT", "/send/kitchen/txn7")
        .cbor(json!({ "msgtype": "m.text", "body": "hot" }));
    let response = device.request(&send);
    assert_eq!(response.code, "2.04", "{response:?}");
    let asked = &stub.received()[0];
    assert_eq!(
        asked.header("authorization"),
        Some("Bearer token-of-the-file")
    );
    let room = asked.target.replace("%21", "!").replace("%3A", ":");
    // The last segment is the transaction id, which the gateway makes.
    let (path, _) = room.rsplit_once('/').unwrap();
    assert_eq!(
        path,
        "/_matrix/client/v3/rooms/!abc:localhost/send/m.room.message"
    );
}

#[test]
fn the_rules_setting_for_legacy_errors_brings_back_4_00_for_every_failure() {
    let stub = Stub::always(Behaviour::json(403, json!({ "errcode": "M_FORBIDDEN" })));
    let scratch = Scratch::new("configuration");
    let config = "[[rule]]\nname = \"comatrix\"\n\n[rule.config]\nerrors = \"legacy\"\n";
    let config = scratch.write("gateway.toml", config).display().to_string();
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--config", &config]);
    let mut device = Aiocoap::start(gateway.address);
    let response = device.request(&send_to(&stub.origin));
    assert_eq!(response.code, "4.00", "{response:?}");
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "2.05");
}

#[test]
fn a_resource_that_is_switched_off_is_not_found_and_not_listed() {
    let stub = Stub::always(Behaviour::json(200, json!({ "access_token": "t" })));
    let scratch = Scratch::new("configuration");
    let config = scratch
        .write("gateway.toml", "disabled_resources = [\"register\"]\n")
        .display()
        .to_string();
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--config", &config]);
    let mut device = Aiocoap::start(gateway.address);
    let account = json!({ "username": "u", "password": "p", "auth": { "type": "m.login.dummy" } });
    assert_eq!(
        device
            .request(&Request::new("POST", "/register").cbor(account))
            .code,
        "4.04"
    );
    let links = device
        .request(&Request::new("GET", "/.well-known/core"))
        .text();
    assert!(
        links.contains("</login>") && !links.contains("register"),
        "{links}"
    );
    assert_eq!(stub.connections(), 0);
}

#[test]
fn the_configured_token_serves_only_its_peers() {
    let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
    let scratch = Scratch::new("configuration");
    scratch.write("token", "the-configured-token");
    let config = format!(
        "access_token_file = \"token\"\ntoken_peers = [\"192.0.2.0/24\"]\n[[homeserver]]\nurl = \"{}\"\n",
        stub.origin
    );
    let config = scratch.write("gateway.toml", &config).display().to_string();
    let gateway = Gateway::start(&["--config", &config]);
    let send = Request::new("PUT", "/send/!room:localhost")
        .cbor(json!({ "msgtype": "m.text", "body": "hot" }));
    assert_eq!(Aiocoap::start(gateway.address).request(&send).code, "4.01");
    assert_eq!(stub.connections(), 0);
}

#[test]
fn an_over_long_token_is_refused_and_never_replaced_by_the_configured_one() {
    let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
    let scratch = Scratch::new("over-long-token");
    let token = scratch.write("token", "the-configured-token");
    let token = token.display().to_string();
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--access-token-file", &token]);
    let mut device = Aiocoap::start(gateway.address);
    for own in ["x".repeat(1025), format!("Bearer {}", "x".repeat(1025))] {
        let send = Request::new("PUT", "/send/!room:localhost")
            .token(&own)
            .cbor(json!({ "msgtype": "m.text", "body": "hot" }));
        assert_eq!(device.request(&send).code, "4.00");
    }
    assert_eq!(stub.connections(), 0);
}

#[test]
fn a_rule_from_a_file_replaces_the_one_in_the_binary() {
    let file = places::workspace().join("target/guest/comatrix.wasm");
    assert!(
        file.is_file(),
        "{} is missing: run `cargo xtask guest`",
        file.display()
    );
    let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
    let rule = format!("comatrix={}", file.display());
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--rule", &rule]);
    let response = Aiocoap::start(gateway.address).request(&send_to(&stub.origin));
    assert_eq!(response.code, "2.04", "{response:?}");
}

#[test]
fn every_exchange_has_one_line_in_the_log() {
    let stub = Stub::always(Behaviour::json(403, json!({ "errcode": "M_FORBIDDEN" })));
    let gateway = Gateway::start(&["--homeserver", &stub.origin]);
    Aiocoap::start(gateway.address).request(&send_to(&stub.origin));
    let log = gateway.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("/send")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    for word in ["127.0.0.1", "PUT", "CON", "comatrix", "403", "4.03", "60"] {
        assert!(line.contains(word), "{word} is not in {line}");
    }
    assert!(!line.contains("a-token"), "{line}");
}

#[test]
fn discovery_and_devices_agree_on_content_formats() {
    let mut device = Aiocoap::start(stage::over_ipv4());
    let links = device
        .request(&Request::new("GET", "/.well-known/core"))
        .text();
    let send = links
        .split(",<")
        .find(|link| link.contains("/send>"))
        .expect("/send is listed");
    for format in [CBOR, JSON] {
        assert!(send.contains(&format.to_string()), "{send}");
    }
}
