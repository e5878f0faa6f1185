//! `comatrix-gateway device observe`, plain and by each way in which a device proves itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::coaps_stage::{LONG, Stage};
use crate::device_keys::{enrol_for_edhoc, with_edhoc};
use crate::device_secured::{
    all, device, enrol_with_context, patiently, with_context, with_key, write,
};
use crate::stub::{Reaction, Received, Stub};

/// Between two texts: a newer one takes the place of one whose blocks are still on their way.
const PAUSE: Duration = Duration::from_secs(2);

/// Text of several blocks in the room, and then one short text after the other, a poll each.
fn homeserver(received: &Received) -> Reaction {
    let since = received.target.split("since=n").nth(1);
    let number: Option<u32> = since.and_then(|rest| rest.split('&').next()?.parse().ok());
    if number == Some(2) {
        return Reaction::Silence;
    }
    if number.is_some() {
        std::thread::sleep(PAUSE);
    }
    let (next, body) = match number {
        Some(number) => (number + 1, format!("event {}", number + 1)),
        None => (0, LONG.to_owned()),
    };
    let event = json!({
        "type": "m.room.message", "event_id": format!("$n{next}"), "sender": "@a:h", "origin_server_ts": 1,
        "content": {"msgtype": "m.text", "body": body},
    });
    let timeline = json!({"events": [event], "limited": false, "prev_batch": "p"});
    let rooms = json!({"join": {"!a:h": {"timeline": timeline}}});
    let body = json!({"next_batch": format!("n{next}"), "rooms": rooms, "chunk": [event]});
    Reaction::Json(200, body.to_string())
}

fn stage(test: &str) -> Stage {
    let stage = Stage::start_before(Stub::start(homeserver), test, "");
    write(&stage, "token", "syt_of_kitchen");
    stage
}

/// Observes two more messages, the first response and all notifications in blocks of 64 bytes at most.
fn observes(stage: &Stage, options: &[String], method: &str) {
    let words = [
        "observe",
        "!a:h",
        "--token-file",
        "token",
        "--messages",
        "3",
        "--block-size",
        "64",
        "--json",
    ];
    let (code, said) = patiently(stage, &all(&words, options));
    assert_eq!(code, 0, "{said}");
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}")))
        .collect();
    let bodies: Vec<&str> = lines
        .iter()
        .map(|line| {
            line["response"]["payload"]["body"]
                .as_str()
                .unwrap_or_default()
        })
        .collect();
    assert_eq!(bodies, [LONG, "event 1", "event 2"], "{method}: {said}");
}

/// Ends the gateway; how its log names the device.
fn principals(stage: Stage) -> (usize, String) {
    let (_, log) = stage.restart();
    let lines = log.lines().filter(|line| line.contains("path=/getmsg"));
    let named = lines.filter(|line| line.contains("principal=kitchen"));
    (named.count(), log)
}

#[test]
fn a_device_observes_by_plain_coap() {
    let stage = stage("device-observes");
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let options = ["--gateway".to_owned(), format!("coap://{gateway}")];
    observes(&stage, &options, "plain");
}

#[test]
fn a_device_observes_over_coaps() {
    let stage = stage("device-observes-psk");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    write(&stage, "kitchen.key", &kitchen.key);
    observes(&stage, &with_key(&kitchen), "coaps");
    let (named, log) = principals(stage);
    assert!(named > 0, "{log}");
}

#[test]
fn a_device_observes_with_a_security_context_also_after_a_restart_of_the_gateway() {
    let stage = stage("device-observes-oscore");
    enrol_with_context(&stage, &["add", "kitchen", "--oscore"]);
    observes(&stage, &with_context(&stage), "OSCORE");
    // The gateway asks for an Echo value.
    let (stage, _) = stage.restart();
    observes(&stage, &with_context(&stage), "OSCORE after a restart");
    let (named, log) = principals(stage);
    assert!(named > 0, "{log}");
}

#[test]
fn a_device_observes_after_edhoc() {
    let stage = stage("device-observes-edhoc");
    enrol_for_edhoc(&stage, "kitchen");
    observes(&stage, &with_edhoc(&stage), "EDHOC");
    let (named, log) = principals(stage);
    assert!(named > 0, "{log}");
}

#[test]
fn an_observation_ends_in_time_and_one_that_is_refused_says_so() {
    let stage = stage("device-observes-end");
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let gateway = ["--gateway".to_owned(), format!("coap://{gateway}")];
    let words = ["observe", "!a:h", "--token-file", "token", "--for", "12"];
    let (code, said) = device(&stage, &all(&words, &gateway));
    assert!(code == 0 && said.contains("event 2"), "{said}");
    // No token: the homeserver is not asked.
    let (code, said) = device(&stage, &all(&["observe", "!a:h", "--for", "60"], &gateway));
    assert!(code == 4 && said.contains("4.01"), "{said}");
    let (code, said) = device(
        &stage,
        &all(&["observe", "!a:h", "--repeat", "2"], &gateway),
    );
    assert!(code == 2 && said.contains("leave out --repeat"), "{said}");
}
