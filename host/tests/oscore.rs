//! Devices with security contexts (OSCORE) on the plain port: enrolled by an operator of the running gateway.

use std::net::UdpSocket;

use coap::{code, option};

use crate::coaps_stage::{LONG, Stage, receive, text_to_room};
use crate::exchange::request;
use crate::oscore_device::Device;

#[test]
fn an_enrolled_device_sends_and_reads_protected_and_is_named_in_the_log() {
    let stage = Stage::start("oscore-story");
    let (mut kitchen, secret) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (time, is_protected) = kitchen.ask(request(code::GET, "time"));
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let (sent, is_protected) = kitchen.ask(text_to_room("protected"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    assert_eq!(stage.texts(), 1);
    let read =
        request(code::GET, "getmsg/!a:h").with_option(option::ACCESS_TOKEN, "syt_of_kitchen");
    let (read, is_protected) = kitchen.ask(read.with_uint_option(option::ACCEPT, 0));
    assert!(
        is_protected && LONG.as_bytes().starts_with(&read.payload),
        "{read:?}"
    );
    let (_, log) = stage.restart();
    assert!(log.contains("principal=kitchen"), "{log}");
    assert!(
        !log.contains(secret["secret"].as_str().expect("digits")),
        "no secret is logged"
    );
}

#[test]
fn after_a_restart_a_replay_changes_nothing_and_the_device_goes_on_with_an_echo() {
    let stage = Stage::start("oscore-restart");
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (sent, _) = kitchen.ask_again(text_to_room("first"));
    assert_eq!(sent.code, code::CHANGED, "{sent:?}");
    let replay = kitchen.sent.clone();
    let (stage, _) = stage.restart();
    kitchen.move_to(&stage);
    kitchen.socket.send(&replay).expect("it is sent");
    receive(&kitchen.socket);
    assert_eq!(stage.texts(), 1, "the replay was not carried out");
    let (sent, is_protected) = kitchen.ask(text_to_room("second"));
    assert!(is_protected && sent.code == code::UNAUTHORIZED, "{sent:?}");
    assert!(sent.option(option::ECHO).is_some(), "{sent:?}");
    let (sent, is_protected) = kitchen.ask_again(text_to_room("second"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    assert_eq!(stage.texts(), 2);
    // From another address: from its own, it would count as a retransmission.
    let gateway = kitchen.socket.peer_addr().expect("it is connected");
    kitchen.socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    kitchen.socket.connect(gateway).expect("it is an address");
    kitchen.socket.send(&replay).expect("it is sent");
    let refused = receive(&kitchen.socket);
    assert_eq!(refused.code, code::UNAUTHORIZED, "{refused:?}");
    assert_eq!(stage.texts(), 2);
}

#[test]
fn the_former_secret_is_void_after_a_rotation_and_the_new_one_after_a_removal() {
    let stage = Stage::start("oscore-rotated");
    let (mut before, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    assert!(before.ask_again(request(code::GET, "time")).1);
    let (mut rotated, secret) = Device::enrol(&stage, &["rotate", "kitchen"]);
    let (refused, is_protected) = before.ask(request(code::GET, "time"));
    assert!(
        !is_protected && refused.code == code::BAD_REQUEST,
        "{refused:?}"
    );
    let (time, is_protected) = rotated.ask_again(request(code::GET, "time"));
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("kitchen  OSCORE secret "), "{said}");
    assert!(!said.contains(secret["secret"].as_str().expect("digits")));
    assert_eq!(stage.devices(&["remove", "kitchen"]).0, 0);
    let (refused, is_protected) = rotated.ask(request(code::GET, "time"));
    assert!(
        !is_protected && refused.code == code::UNAUTHORIZED,
        "{refused:?}"
    );
    let (stage, log) = stage.restart();
    assert!(log.contains("in the name of kitchen"), "{log}");
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("no devices are enrolled"), "{said}");
}

#[test]
fn a_device_may_do_what_the_operator_has_granted_and_plain_ones_get_the_time_alone() {
    let rights =
        "require_secured = true\n[device.kitchen]\nmay = [\"PUT /send/*\", \"GET /getmsg/!a:h\"]\n";
    let stage = Stage::start_with("oscore-rights", rights);
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (mut roof, _) = Device::enrol(&stage, &["add", "roof", "--oscore"]);
    assert_eq!(kitchen.ask(text_to_room("granted")).0.code, code::CHANGED);
    for path in ["getmsg/!b:h", "time"] {
        let (refused, is_protected) = kitchen.ask(request(code::GET, path));
        assert!(
            is_protected && refused.code == code::FORBIDDEN,
            "{refused:?}"
        );
    }
    assert_eq!(roof.ask(request(code::GET, "time")).0.code, code::CONTENT);
    let mut plain = stage.running;
    assert_eq!(
        plain.exchange(request(code::GET, "time")).code,
        code::CONTENT
    );
    let refused = plain.exchange(request(code::GET, "getmsg/!a:h"));
    assert_eq!(refused.code, code::FORBIDDEN, "{refused:?}");
}
