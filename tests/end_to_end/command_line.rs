//! What the command line and the configuration file make of a gateway that does start.

use std::process::Output;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{CBOR, JSON, Request};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::{Value, json};

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
fn a_configuration_file_sets_what_the_command_line_leaves_open() {
    let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
    let scratch = Scratch::new("configuration");
    scratch.write("token", "token-of-the-file\n");
    let config = format!(
        "log_level = \"debug\"\naccess_token_file = \"token\"\n\n[[homeserver]]\nurl = \"{}\"\n\n[rooms]\nkitchen = \"!abc:localhost\"\n",
        stub.origin
    );
    let config = scratch.write("gateway.toml", &config).display().to_string();
    let gateway = Gateway::start(&["--config", &config]);
    let mut device = Aiocoap::start(gateway.address);
    let send = Request::new("PUT", "/send/kitchen/txn7")
        .cbor(json!({ "msgtype": "m.text", "body": "hot" }));
    let answer = device.request(&send);
    assert_eq!(answer.code, "2.04", "{answer:?}");
    let asked = &stub.received()[0];
    assert_eq!(
        asked.header("authorization"),
        Some("Bearer token-of-the-file")
    );
    let room = asked.target.replace("%21", "!").replace("%3A", ":");
    assert_eq!(
        room,
        "/_matrix/client/v3/rooms/!abc:localhost/send/m.room.message/txn7"
    );
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
    let answer = Aiocoap::start(gateway.address).request(&send_to(&stub.origin));
    assert_eq!(answer.code, "2.04", "{answer:?}");
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

fn device(words: &[&str]) -> Output {
    gateway::run(&[&["device"], words].concat())
}

#[test]
fn device_commands_walk_the_story_and_end_with_useful_statuses() {
    let scratch = Scratch::new("device");
    let origin = stage::synapse().origin.as_str();
    let gateway = format!("coap://{}", stage::over_ipv6());
    let person = stage::homeserver().register("person");
    let room_id = person.create_room(None);
    let name = format!("{}-commands", person.name);
    person.invite(&room_id, &format!("@{name}:localhost"));
    let password = scratch
        .write("password", "a long password")
        .display()
        .to_string();
    let token = scratch.path().join("token").display().to_string();
    let to = ["--gateway", &gateway, "--homeserver", origin];
    let account = ["--user", &name, "--password-file", &password];
    let with_token = ["--room", &room_id, "--token-file", &token];

    let steps: [Vec<&str>; 5] = [
        [&["register"][..], &account, &to].concat(),
        [&["login", "--save-token", &token][..], &account, &to].concat(),
        [&["join"][..], &with_token, &to].concat(),
        [
            &["send", "--message", "from the command line"][..],
            &with_token,
            &to,
        ]
        .concat(),
        [&["getmsg", "--json"][..], &with_token, &to].concat(),
    ];
    let mut printed = String::new();
    for words in &steps {
        let output = device(words);
        printed = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words:?}: {printed}{}",
            text(&output.stderr)
        );
        let secret =
            std::fs::read_to_string(&token).unwrap_or_else(|_| "a long password".to_owned());
        assert!(
            !printed.contains(secret.trim()),
            "{words:?} shows a secret: {printed}"
        );
    }
    let read: Value = serde_json::from_str(&printed).expect("--json prints an object a line");
    assert_eq!(
        read["response"]["payload"]["body"],
        json!("from the command line"),
        "{read}"
    );

    let time = device(&[
        "time",
        "--repeat",
        "3",
        "--interval",
        "0.1",
        "--non",
        "--json",
        "--gateway",
        &gateway,
    ]);
    assert_eq!(
        (time.status.code(), text(&time.stdout).lines().count()),
        (Some(0), 3),
        "{time:?}"
    );

    let logout = device(&[&["logout", "--token-file", &token][..], &to].concat());
    assert_eq!(logout.status.code(), Some(0), "{logout:?}");
    let after = device(&[&["getmsg"][..], &with_token, &to].concat());
    assert_eq!(
        after.status.code(),
        Some(4),
        "the token is of no use any more: {after:?}"
    );
    assert_eq!(
        device(&["time", "--gateway", "nonsense"]).status.code(),
        Some(2)
    );
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
