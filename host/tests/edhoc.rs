//! Devices with key pairs (EDHOC) on the plain port: enrolled by an operator of the running gateway.

use coap::{Message, code, option};

use crate::coaps_stage::{Stage, receive, text_to_room};
use crate::edhoc_device::{Device, hexadecimal, identity};
use crate::exchange::request;

fn time() -> Message {
    request(code::GET, "time")
}

/// Returns when the disk has what a device has agreed on before: an operator's change comes after it.
fn stored(stage: &Stage) {
    let (code, said) = stage.devices(&["add", "another", "--oscore"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_device_agrees_on_a_context_by_separate_messages_and_sends_protected() {
    let stage = Stage::start("edhoc-story");
    let mut kitchen = Device::enrol(&stage, "kitchen", identity(7));
    kitchen.agree().expect("it is enrolled");
    let (sent, is_protected) = kitchen.ask(text_to_room("agreed"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    assert_eq!(stage.texts(), 1);
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("kitchen  EDHOC public key "), "{said}");
    let (_, log) = stage.restart();
    assert!(log.contains("principal=kitchen"), "{log}");
    assert_eq!(log.matches("path=/.well-known/edhoc").count(), 2, "{log}");
}

#[test]
fn a_first_request_with_message_3_is_carried_out_once_and_at_once() {
    let stage = Stage::start("edhoc-combined");
    let mut kitchen = Device::enrol(&stage, "kitchen", identity(7));
    let (sent, is_protected) = kitchen.agree_with(text_to_room("combined"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    let again = kitchen.sent.clone();
    kitchen.socket.send(&again).expect("it is sent");
    receive(&kitchen.socket);
    assert_eq!(stage.texts(), 1);
    let (time, is_protected) = kitchen.ask(time());
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    // A second handshake makes another context; the first one is void.
    let former = kitchen.context.take();
    let (time, is_protected) = kitchen.agree_with(self::time());
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let newer = std::mem::replace(&mut kitchen.context, former);
    let (refused, is_protected) = kitchen.ask(self::time());
    assert!(
        !is_protected && refused.code == code::UNAUTHORIZED,
        "{refused:?}"
    );
    kitchen.context = newer;
    assert!(kitchen.ask(self::time()).1);
}

#[test]
fn after_a_restart_the_context_goes_on_with_an_echo_and_a_replay_changes_nothing() {
    let stage = Stage::start("edhoc-restart");
    let mut kitchen = Device::enrol(&stage, "kitchen", identity(7));
    let (sent, _) = kitchen.agree_with(text_to_room("first"));
    assert_eq!(sent.code, code::CHANGED, "{sent:?}");
    stored(&stage);
    let replay = kitchen.sent.clone();
    let (stage, _) = stage.restart();
    kitchen.move_to(&stage);
    kitchen.socket.send(&replay).expect("it is sent");
    let refused = receive(&kitchen.socket);
    assert_eq!(
        refused.code,
        code::BAD_REQUEST,
        "its handshake is over: {refused:?}"
    );
    let (sent, is_protected) = kitchen.ask(text_to_room("second"));
    assert!(is_protected && sent.code == code::UNAUTHORIZED, "{sent:?}");
    assert!(sent.option(option::ECHO).is_some(), "{sent:?}");
    let (sent, is_protected) = kitchen.ask_again(text_to_room("third"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    assert_eq!(stage.texts(), 2);
    // The gateway has its key pair still: the device takes it for the same one.
    kitchen.agree().expect("it is enrolled");
    assert!(kitchen.ask(time()).1);
}

#[test]
fn a_device_that_is_not_enrolled_or_removed_agrees_on_nothing() {
    let stage = Stage::start("edhoc-strangers");
    let mut kitchen = Device::enrol(&stage, "kitchen", identity(7));
    let known = std::mem::replace(&mut kitchen.identity, identity(8));
    let unknown = kitchen.agree().expect_err("nobody has enrolled it");
    let wrong_key = secure::edhoc::Identity::new(&[9; 32], &[7]).expect("a key");
    kitchen.identity = wrong_key;
    let wrong = kitchen.agree().expect_err("it has another key");
    assert_eq!(unknown, wrong, "strangers learn nothing");
    kitchen.identity = known;
    kitchen.agree().expect("it is enrolled");
    let rotated = hexadecimal(identity(10).ccs().as_bytes());
    let (code, said) = stage.devices(&["rotate", "kitchen"]);
    assert!(code == 1 && said.contains("--edhoc"), "{said}");
    let (code, said) = stage.devices(&["rotate", "kitchen", "--edhoc", &rotated]);
    assert!(code == 0 && said.contains(&rotated), "{said}");
    let (refused, is_protected) = kitchen.ask(time());
    assert!(
        !is_protected && refused.code == code::UNAUTHORIZED,
        "{refused:?}"
    );
    kitchen.agree().expect_err("its key is void");
    kitchen.identity = identity(10);
    kitchen.agree().expect("it has its new key");
    assert!(kitchen.ask(time()).1);
    assert_eq!(stage.devices(&["remove", "kitchen"]).0, 0);
    assert!(!kitchen.ask(time()).1);
    kitchen.agree().expect_err("it is removed");
    let (_, log) = stage.restart();
    assert!(
        log.contains("no device has the credential that it names"),
        "{log}"
    );
    assert!(log.contains("does not prove the key"), "{log}");
}

#[test]
fn an_operator_gives_a_key_or_a_credential_and_each_device_has_its_own_kid() {
    let stage = Stage::start("edhoc-enrolling");
    let x = "ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6";
    let (code, said) = stage.devices(&["add", "roof", "--edhoc", x]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "which the gateway has made",
        "kid 01",
        "aiocoap-client --credentials roof.diag",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let printed = format!("{{14: {}}}", identity(7).ccs().diagnostic());
    let (code, said) = stage.devices(&["add", "kitchen", "--edhoc", &printed]);
    assert!(code == 0 && said.contains("as it was given"), "{said}");
    for (key, error) in [
        (printed.as_str(), "belongs to device kitchen"),
        (
            &hexadecimal(identity(1).ccs().as_bytes()),
            "belongs to device roof",
        ),
        ("ff", "no CCS"),
        (&"ff".repeat(32), "no point on the curve"),
    ] {
        let (code, said) = stage.devices(&["add", "cellar", "--edhoc", key]);
        assert!(code == 1 && said.contains(error), "{said}");
    }
    let (code, said) = stage.devices(&["show", "roof"]);
    assert!(code == 0 && said.contains("EDHOC public key"), "{said}");
    let (stage, _) = stage.restart();
    let (_, said) = stage.devices(&["list"]);
    assert_eq!(said.matches("EDHOC public key").count(), 2, "{said}");
}

#[test]
fn a_gateway_without_such_devices_has_no_such_resource_and_the_plain_port_stays_closed_with_one() {
    let stage = Stage::start_with("edhoc-closed", "require_secured = true\n");
    let post = request(code::POST, ".well-known/edhoc").with_payload([0xf5, 3]);
    let mut stranger = Device::unknown(&stage);
    let refused = stranger.exchange(post.clone());
    assert!(
        matches!(refused.code, code::NOT_FOUND | code::FORBIDDEN),
        "{refused:?}"
    );
    let mut kitchen = Device::enrol(&stage, "kitchen", identity(7));
    assert_eq!(kitchen.exchange(post).code, code::BAD_REQUEST);
    let (sent, is_protected) = kitchen.agree_with(text_to_room("granted"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    let refused = kitchen.exchange(text_to_room("plain"));
    assert_eq!(refused.code, code::FORBIDDEN, "{refused:?}");
}
