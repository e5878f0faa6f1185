//! A Matrix client library over CoAP and CBOR: matrix-nio, whose HTTP is replaced by an adapter.

use comatrix_tests::low_bandwidth::{Device, Story, TEXT};
use comatrix_tests::matrix::encoded;
use comatrix_tests::wire::{Loss, Wire};
use serde_json::json;

use super::stage::{self, RULE};
use crate::secured::stage::Stage;
use crate::stage::{homeserver, synapse};

#[test]
fn a_client_library_lives_its_day_through_the_gateway() {
    let gateway = stage::gateway(&synapse().origin);
    let wire = Wire::to(gateway.address, Loss::NOTHING);
    let mut story = Story::on(&homeserver());
    let mut device = Device::over_coap(&story.account.name, &wire, None);
    story.tell(&mut device);
}

#[test]
fn a_client_library_lives_its_day_over_coaps_and_says_token_and_key_version_once() {
    let stage = Stage::before(&synapse().origin, "--psk", Loss::NOTHING, RULE);
    let credentials = stage.credentials_with_key();
    let mut story = Story::on(&homeserver());
    let mut device = Device::over_coap(&story.account.name, &stage.wire, Some(&credentials));
    story.tell(&mut device);
}

/// Calls that few devices make; each goes by a path code unless it says otherwise.
#[test]
fn a_client_library_has_the_rest_of_the_api_too() {
    let gateway = stage::gateway(&synapse().origin);
    let wire = Wire::to(gateway.address, Loss::NOTHING);
    let mut story = Story::on(&homeserver());
    let mut device = Device::over_coap(&story.account.name, &wire, None);
    story.begin(&mut device);
    story.enter_rooms(&mut device);
    let (room, person) = (story.room_id.clone(), story.person.user_id.clone());
    let nio = device.nio();

    let members = nio.expect(
        "joined_members",
        json!({ "room_id": room }),
        "JoinedMembersResponse",
    );
    assert_eq!(
        members.body["joined"].as_object().map(|all| all.len()),
        Some(2)
    );
    let message = json!({
        "room_id": room, "message_type": "m.room.message", "tx_id": "1",
        "content": { "msgtype": "m.text", "body": TEXT, "org.example.depth": -12, "big": 9_007_199_254_740_991_u64 },
    });
    let sent = nio.expect("room_send", message, "RoomSendResponse");
    let event_id = sent.body["event_id"].clone();
    let newest = &story.person.messages(&room)[0];
    assert_eq!(
        (&newest["org.example.depth"], &newest["big"]),
        (&json!(-12), &json!(9_007_199_254_740_991_u64)),
        "integers stay exact, and keys outside of the table stay text"
    );

    let of_event = json!({ "room_id": room, "event_id": event_id });
    let event = nio.expect("room_get_event", of_event.clone(), "RoomGetEventResponse");
    assert_eq!(event.body["content"]["body"], TEXT);
    let context = nio.expect("room_context", of_event, "RoomContextResponse");
    // Not as a whole: its age is another one.
    assert_eq!(context.body["event"]["content"], event.body["content"]);
    let page = nio.expect(
        "room_messages",
        json!({ "room_id": room, "limit": 3 }),
        "RoomMessagesResponse",
    );
    assert_eq!(page.body["chunk"].as_array().map(Vec::len), Some(3));
    let state = nio.expect(
        "room_get_state",
        json!({ "room_id": room }),
        "RoomGetStateResponse",
    );
    assert!(
        state.body.as_array().is_some_and(|all| all.len() > 5),
        "an array at the top"
    );

    let alias = format!("#low{}:localhost", story.account.name);
    let named = json!({ "room_alias": alias, "room_id": room });
    nio.expect("room_put_alias", named.clone(), "RoomPutAliasResponse");
    let found = nio.expect(
        "room_resolve_alias",
        json!({ "room_alias": alias }),
        "RoomResolveAliasResponse",
    );
    assert_eq!(found.body["room_id"], room);
    let directory = story
        .person
        .get(&format!("directory/room/{}", encoded(&alias)));
    assert_eq!(directory["room_id"], room);
    nio.expect(
        "room_delete_alias",
        json!({ "room_alias": alias }),
        "RoomDeleteAliasResponse",
    );

    let filter = json!({ "room": { "timeline": { "limit": 1 } } });
    nio.expect("upload_filter", filter, "UploadFilterResponse");
    let markers = json!({ "room_id": room, "fully_read_event": event_id });
    nio.expect("room_read_markers", markers, "RoomReadMarkersResponse");
    let presence = json!({ "presence": "online", "status_msg": "measures" });
    nio.expect("set_presence", presence, "PresenceSetResponse");
    let seen = nio.expect(
        "get_presence",
        json!({ "user_id": story.account.user_id }),
        "PresenceGetResponse",
    );
    assert!(seen.body["presence"].is_string(), "{seen:?}");

    let devices = nio.expect("devices", json!({}), "DevicesResponse");
    let device_id = devices.body["devices"][0]["device_id"].clone();
    assert!(device_id.is_string(), "{devices:?}");
    let unproven = nio.call("delete_devices", json!({ "devices": [device_id] }));
    assert_eq!(
        (unproven.response.as_str(), unproven.status),
        ("DeleteDevicesAuthResponse", 401),
        "the stages of the authentication are in the body of a 4.01: {unproven:?}"
    );

    for (call, class) in [
        ("room_kick", "RoomKickResponse"),
        ("room_ban", "RoomBanResponse"),
        ("room_unban", "RoomUnbanResponse"),
    ] {
        nio.expect(call, json!({ "room_id": room, "user_id": person }), class);
    }
    nio.expect(
        "room_leave",
        json!({ "room_id": room }),
        "RoomLeaveResponse",
    );
    nio.expect(
        "room_forget",
        json!({ "room_id": room }),
        "RoomForgetResponse",
    );
    let joined = nio.expect("joined_rooms", json!({}), "JoinedRoomsResponse");
    let left = json!([room]);
    assert_eq!(
        joined.body["joined_rooms"].as_array().map(Vec::len),
        Some(1)
    );
    assert_ne!(joined.body["joined_rooms"], left);
    let whoami = nio.expect("whoami", json!({}), "WhoamiResponse");
    assert_eq!(
        whoami.body["user_id"], story.account.user_id,
        "by its full path"
    );
}

/// The benchmark compares with this: the same calls without the gateway. And the story itself is right.
#[test]
fn a_client_library_lives_the_same_day_over_http() {
    for compressed in [false, true] {
        let mut story = Story::on(&homeserver());
        let origin = &synapse().origin;
        let mut device = Device::by_curl(&story.account.name, origin, compressed);
        story.tell(&mut device);
        assert!(
            device.steps().iter().all(|step| step.bytes > 300),
            "{:?}",
            device.steps()
        );
    }
}
