//! The example rules, mounted beside the default one, between aiocoap and Synapse; one of them is replaced meanwhile.

use std::fs;
use std::time::Duration;

use comatrix_tests::aiocoap::{Aiocoap, bytes};
use comatrix_tests::device::{JSON, Request};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::matrix::encoded;
use comatrix_tests::observer::Observer;
use comatrix_tests::places::{self, Scratch};
use serde_json::json;

use crate::author_folder::{AuthorFolder, copy_example};
use crate::stage::{Room, synapse};

/// A notification leaves within a second; a busy machine may need longer.
const SOON: Duration = Duration::from_secs(10);

/// Content-Format of SenML in CBOR (RFC 8428 §12.1).
const SENML_CBOR: u16 = 112;

/// A gateway with the three examples.
struct Stage {
    gateway: Gateway,
    device: Aiocoap,
    scratch: Scratch,
}

impl Stage {
    fn new() -> Self {
        let scratch = Scratch::new("examples");
        for rule in ["senml", "command", "convert"] {
            copy_example(rule, scratch.path());
        }
        let configuration = scratch.write("gateway.toml", CONFIGURATION);
        let socket = scratch.path().join("control.sock");
        let gateway = Gateway::start(&[
            "--homeserver",
            &synapse().origin,
            "--config",
            &configuration.display().to_string(),
            "--control-socket",
            &socket.display().to_string(),
        ]);
        let device = Aiocoap::start(gateway.address);
        Self {
            gateway,
            device,
            scratch,
        }
    }

    /// `comatrix-gateway rules …` for this gateway; it must succeed.
    fn rules(&self, arguments: &[&str]) -> String {
        let socket = self
            .scratch
            .path()
            .join("control.sock")
            .display()
            .to_string();
        let output = gateway::run(&[&["rules", "--control-socket", &socket], arguments].concat());
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }
}

const CONFIGURATION: &str = r#"
    [[rule]]
    name = "senml"
    component = "senml.wasm"
    mount = "/sensors"
    allow = [
        "PUT any standard /_matrix/client/v3/rooms/*/send/m.room.message/*",
        "GET any standard /_matrix/client/v3/directory/room/*",
    ]

    [[rule]]
    name = "command"
    component = "command.wasm"
    allow = [
        "GET any standard /_matrix/client/v3/rooms/*/messages",
        "GET any standard /_matrix/client/v3/sync",
        "GET any standard /_matrix/client/v3/directory/room/*",
    ]

    [[rule]]
    name = "convert"
    component = "convert.wasm"
    allow = ["PUT any standard /_matrix/client/v3/rooms/*/send/m.room.message/*"]
    limits = { memory = 4194304, memories = 3, call_ms = 1000, cpu_percent = 100 }
"#;

#[test]
fn a_senml_pack_becomes_a_message_that_people_and_programs_read() {
    let (room, mut stage) = (Room::new(), Stage::new());
    // [{-2: "urn:dev:air:", 0: "temperature", 1: "Cel", 2: 21.5}, {0: "humidity", 1: "%RH", 2: 40}]
    let pack = bytes(
        "82 a4 21 6c 75726e3a6465763a6169723a 00 6b 74656d7065726174757265 01 63 43656c 02 f94d60 \
         a3 00 68 68756d6964697479 01 63 255248 02 1828",
    );
    let path = format!("/sensors/{}", encoded(&room.room_id));
    let request = Request::new("POST", &path)
        .token(&room.device.access_token)
        .bytes(&pack, Some(SENML_CBOR));
    let response = stage.device.request(&request);
    assert_eq!(response.code, "2.04", "{}", response.text());
    let message = &room.person.messages(&room.room_id)[0];
    assert_eq!(message["event_id"], response.field("event_id"));
    let body = message["body"].as_str().unwrap_or_default();
    for part in ["temperature", "21.5", "humidity", "40"] {
        assert!(body.contains(part), "{part:?} is not in {body:?}");
    }
    let structured = &message["org.comatrix.senml"];
    assert!(!structured.is_null(), "{message}");
    assert!(!structured.to_string().contains('.') || !structured.to_string().contains("21.5"));
}

#[test]
fn an_actuator_reads_the_last_message_addressed_to_it() {
    let (room, mut stage) = (Room::new(), Stage::new());
    let path = format!("/command/{}/lamp", encoded(&room.room_id));
    let get = || Request::new("GET", &path).token(&room.device.access_token);
    let nothing = stage.device.request(&get());
    assert_eq!(nothing.code, "4.04", "{}", nothing.text());
    for body in ["!lamp off", "!lamp on", "!door open", "good night"] {
        let content = json!({ "msgtype": "m.text", "body": body });
        room.person.send(&room.room_id, &content);
    }
    let response = stage.device.request(&get());
    assert_eq!(response.code, "2.05", "{}", response.text());
    assert_eq!(response.value, Some(json!({ "on": true })));
}

#[test]
fn an_actuator_observes_the_messages_addressed_to_it() {
    let (room, stage) = (Room::new(), Stage::new());
    let path = format!("/command/{}/lamp", encoded(&room.room_id));
    let request = Request::new("GET", &path).token(&room.device.access_token);
    let lamp = Observer::start(stage.gateway.address, &request);
    let next = || {
        let response = lamp.next(SOON).expect("a response comes");
        assert_eq!(response.code, "2.05", "{}", response.text());
        response.value
    };
    assert_eq!(next(), Some(json!({})), "there is no command yet");
    for body in ["good evening", "!lamp on", "!door open", "!lamp level 40"] {
        let content = json!({ "msgtype": "m.text", "body": body });
        room.person.send(&room.room_id, &content);
    }
    assert_eq!(next(), Some(json!({ "on": true })));
    assert_eq!(next(), Some(json!({ "level": 40 })));
}

#[test]
fn a_rule_in_javascript_posts_the_value_that_it_has_converted() {
    let (room, mut stage) = (Room::new(), Stage::new());
    let converted = stage
        .device
        .request(&Request::new("GET", "/convert/70/F/C"));
    assert_eq!(
        (converted.code.as_str(), converted.text().as_str()),
        ("2.05", "21.11")
    );
    let path = format!("/convert/{}", encoded(&room.room_id));
    let request = Request::new("POST", &path)
        .token(&room.device.access_token)
        .bytes(br#"{"value": 70, "from": "F", "to": "C"}"#, Some(JSON));
    let response = stage.device.request(&request);
    assert_eq!(response.code, "2.04", "{}", response.text());
    assert_eq!(room.newest(), "70 F are 21.11 C");
}

#[test]
fn a_rule_is_swapped_and_rolled_back_while_devices_use_the_others() {
    let mut stage = Stage::new();
    let mut time = || stage.device.request(&Request::new("GET", "/time")).code;
    assert_eq!(time(), "2.05");
    let listed = stage.rules(&["list"]);
    for part in [
        "comatrix at /:",
        "senml at /sensors:",
        "command at /command:",
        "convert at /convert:",
    ] {
        assert!(listed.contains(part), "{part:?} is not in {listed}");
    }
    // Another component under the rule's name has other resources.
    let other = stage
        .scratch
        .path()
        .join("convert.wasm")
        .display()
        .to_string();
    let refused = gateway::run(&[
        "rules",
        "--control-socket",
        &stage
            .scratch
            .path()
            .join("control.sock")
            .display()
            .to_string(),
        "swap",
        "senml",
        &other,
    ]);
    let output = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{output}");
    assert!(
        output.contains("rule senml not replaced") && output.contains("keeps serving"),
        "{output}"
    );
    let mut time = || stage.device.request(&Request::new("GET", "/time")).code;
    assert_eq!(time(), "2.05");
    let core = stage
        .device
        .request(&Request::new("GET", "/.well-known/core"))
        .text();
    assert!(core.contains("</time>"), "{core}");
    assert!(!stage.gateway.log().contains("panicked"));
}

#[test]
fn the_rule_of_the_manual_serves_with_the_manual_s_configuration() {
    let readme =
        fs::read_to_string(places::workspace().join("host/README.md")).expect("it is there");
    let blocks = readme.split("```").skip(1).step_by(2);
    let mut blocks = blocks.filter_map(|block| block.strip_prefix("toml\n"));
    let block = blocks.find(|block| block.contains("name = \"senml\""));
    let block = block.expect("the manual configures senml");
    let scratch = Scratch::new("readme");
    let (author, rules) = (AuthorFolder::new(), scratch.path().join("rules"));
    author.rule(&["manifest", "senml.wasm"]);
    author.rule(&["sign", "--key", "ann.key", "senml.rule.json"]);
    author.is_trusted_in(scratch.path());
    fs::create_dir(&rules).expect("the folder is the test's");
    for file in ["senml.wasm", "senml.rule.json", "senml.rule.json.sig"] {
        fs::copy(author.path().join(file), rules.join(file)).expect("it was made");
    }
    let configuration = scratch.write("gateway.toml", block).display().to_string();
    let socket = scratch.path().join("control.sock").display().to_string();
    let _gateway = Gateway::start(&["--config", &configuration, "--control-socket", &socket]);
    let list = gateway::run(&["rules", "--control-socket", &socket, "list"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(
        list.contains("senml at /sensors: ") && list.contains("signed by ann"),
        "{list}"
    );
}
