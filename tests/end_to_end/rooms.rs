//! Rooms: the rights of devices in them, and the events between a device and the last message.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Spelling};
use serde_json::json;

use crate::stage::{self, Room, homeserver, synapse};

#[test]
fn a_device_that_was_not_invited_is_refused_with_4_03() {
    let (person, device) = (
        homeserver().register("person"),
        homeserver().register("device"),
    );
    let room = Room {
        room_id: person.create_room(None),
        person,
        device,
    };
    let mut client = Aiocoap::start(stage::over_ipv4());
    let origin = &synapse().origin;
    let join = Request::new("POST", "/join")
        .proxy_uri(&Spelling::Full.join(origin, &room.room_id))
        .token(&room.device.access_token);
    for request in [
        join,
        room.send(origin, "txn1", "let me in"),
        room.getmsg(origin),
    ] {
        let response = client.request(&request);
        assert_eq!(
            (response.code.as_str(), response.field("errcode").as_str()),
            ("4.03", "M_FORBIDDEN"),
            "{response:?}"
        );
    }
    assert_eq!(
        room.person.messages(&room.room_id),
        Vec::<serde_json::Value>::new()
    );
}

#[test]
fn the_last_text_message_is_found_behind_membership_changes_redactions_and_pictures() {
    let room = Room::new();
    room.person.send(
        &room.room_id,
        &json!({ "msgtype": "m.text", "body": "the last text" }),
    );
    for number in 0..5 {
        let body = format!("taken back {number}");
        let event_id = room
            .person
            .send(&room.room_id, &json!({ "msgtype": "m.text", "body": body }));
        room.person.redact(&room.room_id, &event_id);
        let picture =
            json!({ "msgtype": "m.image", "body": "cat.jpg", "url": "mxc://localhost/cat" });
        room.person.send(&room.room_id, &picture);
        let guest = homeserver().register("guest");
        room.person.invite(&room.room_id, &guest.user_id);
        guest.join(&room.room_id);
    }
    let mut device = Aiocoap::start(stage::over_ipv6());
    let read = device.request(&room.getmsg(&synapse().origin));
    assert_eq!(
        read.value,
        Some(json!({ "sender": room.person.user_id, "body": "the last text" })),
        "{read:?}"
    );
}

#[test]
fn a_room_without_a_text_message_is_4_04() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv6());
    assert_eq!(device.request(&room.getmsg(&synapse().origin)).code, "4.04");
}

#[test]
fn one_transaction_id_makes_one_event() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let first = device.request(&room.send(&synapse().origin, "same", "once"));
    let second = device.request(&room.send(&synapse().origin, "same", "once"));
    assert_eq!(first.field("event_id"), second.field("event_id"));
    assert_eq!(room.person.messages(&room.room_id).len(), 1);
}

#[test]
fn a_counter_that_begins_again_loses_no_message_with_another_content() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let first = device.request(&room.send(&synapse().origin, "1", "21.5 C"));
    let second = device.request(&room.send(&synapse().origin, "1", "21.6 C"));
    assert_ne!(first.field("event_id"), second.field("event_id"));
    assert_eq!(room.person.messages(&room.room_id).len(), 2);
}
