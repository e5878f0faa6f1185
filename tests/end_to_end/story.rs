//! A device's requests, from its first start to its end: register, log in, join, send, read, ask the time, log out.

use comatrix_tests::aiocoap::{Aiocoap, bytes};
use comatrix_tests::device::{CBOR, Request, Spelling, TEXT, option};
use serde_json::json;

use crate::stage::{self, homeserver, synapse};

/// How the requests travel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Con,
    Non,
}

fn story(device: &mut Aiocoap, spelling: Spelling, message_type: Type, room_version: Option<&str>) {
    let origin = synapse().origin.as_str();
    let mut exchange = |request: Request| {
        let request = if message_type == Type::Non {
            request.non()
        } else {
            request
        };
        device.request(&request)
    };
    let person = homeserver().register("person");
    // Registered and given up, for a name that is free.
    let name = format!("{}-device", person.name);
    let password = "correct horse battery staple";

    let registered = exchange(
        Request::new("POST", "/register")
            .proxy_uri(&spelling.register(origin))
            .cbor(json!({
                "username": name, "password": password, "auth": { "type": "m.login.dummy" },
            })),
    );
    assert_eq!(registered.code, "2.04", "{registered:?}");
    assert_eq!(registered.number(option::CONTENT_FORMAT), Some(CBOR.into()));
    assert_eq!(
        registered.value,
        Some(json!({ "access_token": registered.field("access_token") }))
    );
    assert_eq!(
        registered.payload[..15],
        bytes("a1 6c 6163636573735f746f6b656e 78")[..]
    );

    let logged_in = exchange(Request::new("POST", "/login").proxy_uri(&spelling.login(origin)).cbor(json!({
        "type": "m.login.password", "identifier": { "type": "m.id.user", "user": name }, "password": password,
    })));
    assert_eq!(logged_in.code, "2.04", "{logged_in:?}");
    let access_token = logged_in.field("access_token");
    assert_eq!(
        logged_in.value,
        Some(json!({ "access_token": access_token }))
    );
    let user_id = format!("@{name}:localhost");
    assert_eq!(
        homeserver().whoami(&access_token).1["user_id"],
        json!(user_id)
    );

    let room_id = person.create_room(room_version);
    person.invite(&room_id, &user_id);
    let join = Request::new("POST", "/join")
        .proxy_uri(&spelling.join(origin, &room_id))
        .token(&access_token);
    let joined = exchange(join);
    assert_eq!(joined.code, "2.04", "{joined:?}");
    assert_eq!(joined.value, Some(json!({ "room_id": room_id })));

    let send = Request::new("PUT", "/send")
        .proxy_uri(&spelling.send(origin, &room_id, "txn1"))
        .token(&access_token)
        .cbor(json!({ "msgtype": "m.text", "body": "21.5 °C" }));
    let sent = exchange(send);
    assert_eq!(sent.code, "2.04", "{sent:?}");
    assert_eq!(
        sent.payload[..12],
        bytes("a1 68 6576656e745f6964 78 2c")[..],
        "{sent:?}"
    );
    let message = &person.messages(&room_id)[0];
    assert_eq!(message["event_id"], json!(sent.field("event_id")));
    assert_eq!(
        (&message["sender"], &message["body"]),
        (&json!(user_id), &json!("21.5 °C"))
    );

    person.send(
        &room_id,
        &json!({ "msgtype": "m.text", "body": "thank you" }),
    );
    let getmsg = Request::new("GET", "/getmsg")
        .proxy_uri(&spelling.getmsg(origin, &room_id))
        .token(&access_token);
    let read = exchange(getmsg);
    assert_eq!(read.code, "2.05", "{read:?}");
    assert_eq!(
        read.value,
        Some(json!({ "sender": person.user_id, "body": "thank you" }))
    );
    assert_eq!(
        read.payload[..8],
        bytes("a2 66 73656e646572")[..],
        "sender comes first"
    );

    let time = exchange(Request::new("GET", "/time"));
    assert_eq!(
        (time.code.as_str(), time.number(option::CONTENT_FORMAT)),
        ("2.05", Some(TEXT.into()))
    );
    assert_eq!(time.number(option::MAX_AGE), Some(0));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("it is after 1970")
        .as_secs();
    let shown: u64 = time.text().parse().expect("ASCII digits");
    assert!(shown.abs_diff(now) <= 5, "{shown} is not the time, {now}");

    let logout = Request::new("POST", "/logout")
        .proxy_uri(&spelling.logout(origin))
        .token(&access_token);
    let logged_out = exchange(logout);
    assert_eq!(
        (logged_out.code.as_str(), logged_out.payload.len()),
        ("2.04", 0),
        "{logged_out:?}"
    );
    assert_eq!(
        homeserver().whoami(&access_token).0,
        401,
        "the token is of no use any more"
    );
    let (status, _) = homeserver().whoami(&registered.field("access_token"));
    assert_eq!(status, 200, "only one session was logged out");
}

#[test]
fn the_whole_story_in_short_form_over_ipv4_with_confirmable_messages() {
    story(
        &mut Aiocoap::start(stage::over_ipv4()),
        Spelling::Short,
        Type::Con,
        None,
    );
}

#[test]
fn the_whole_story_in_full_form_over_ipv6_with_confirmable_messages() {
    story(
        &mut Aiocoap::start(stage::over_ipv6()),
        Spelling::Full,
        Type::Con,
        None,
    );
}

#[test]
fn the_whole_story_in_short_form_over_ipv6_with_non_confirmable_messages() {
    story(
        &mut Aiocoap::start(stage::over_ipv6()),
        Spelling::Short,
        Type::Non,
        None,
    );
}

#[test]
fn the_whole_story_in_full_form_over_ipv4_with_non_confirmable_messages() {
    story(
        &mut Aiocoap::start(stage::over_ipv4()),
        Spelling::Full,
        Type::Non,
        None,
    );
}

#[test]
fn the_whole_story_in_a_room_of_version_10() {
    story(
        &mut Aiocoap::start(stage::over_ipv4()),
        Spelling::Full,
        Type::Con,
        Some("10"),
    );
}

#[test]
fn the_whole_story_in_a_room_of_version_12_whose_id_names_no_server() {
    story(
        &mut Aiocoap::start(stage::over_ipv4()),
        Spelling::Short,
        Type::Con,
        Some("12"),
    );
}

#[test]
fn logout_all_ends_every_session_of_the_account() {
    let account = homeserver().register("device");
    let uri = format!("{}/_matrix/client/v3/logout/all", synapse().origin);
    let mut device = Aiocoap::start(stage::over_ipv4());
    let response = device.request(
        &Request::new("POST", "/logout")
            .proxy_uri(&uri)
            .token(&account.access_token),
    );
    assert_eq!(
        (response.code.as_str(), response.payload.len()),
        ("2.04", 0),
        "{response:?}"
    );
    assert_eq!(homeserver().whoami(&account.access_token).0, 401);
}

#[test]
fn full_forms_are_accepted_with_the_prefixes_r0_v1_and_v3() {
    let room = stage::Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    for prefix in ["r0", "v1", "v3"] {
        let uri = Spelling::Full
            .getmsg(&synapse().origin, &room.room_id)
            .replace("/r0/", &format!("/{prefix}/"));
        room.person.send(
            &room.room_id,
            &json!({ "msgtype": "m.text", "body": prefix }),
        );
        let getmsg = Request::new("GET", "/getmsg")
            .proxy_uri(&uri)
            .token(&room.device.access_token);
        assert_eq!(device.request(&getmsg).field("body"), prefix);
    }
}
