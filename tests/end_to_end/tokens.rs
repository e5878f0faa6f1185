//! Access tokens and passwords that are right, wrong, missing or no such thing.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Spelling, option};
use serde_json::json;

use crate::stage::{self, Room, homeserver, synapse};

fn getmsg(room: &Room) -> Request {
    Request::new("GET", "/getmsg")
        .proxy_uri(&Spelling::Short.getmsg(&synapse().origin, &room.room_id))
}

#[test]
fn a_token_is_accepted_with_and_without_the_word_bearer() {
    let room = Room::new();
    room.person.send(
        &room.room_id,
        &json!({ "msgtype": "m.text", "body": "hello" }),
    );
    let mut device = Aiocoap::start(stage::over_ipv4());
    let token = &room.device.access_token;
    for spelled in [token.clone(), format!("Bearer {token}")] {
        assert_eq!(
            device.request(&getmsg(&room).token(&spelled)).field("body"),
            "hello"
        );
    }
}

#[test]
fn a_wrong_token_is_refused_with_4_01_and_the_homeservers_reason() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    // Tokens of old servers are long: up to 1,024 bytes they are passed on.
    for token in ["wrong".to_owned(), "x".repeat(300), "y".repeat(1024)] {
        let response = device.request(&getmsg(&room).token(&token));
        assert_eq!(
            (response.code.as_str(), response.field("errcode").as_str()),
            ("4.01", "M_UNKNOWN_TOKEN")
        );
    }
}

#[test]
fn a_missing_token_is_refused_with_4_01() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let origin = &synapse().origin;
    let requests = [
        getmsg(&room),
        Request::new("POST", "/join").proxy_uri(&Spelling::Short.join(origin, &room.room_id)),
        Request::new("POST", "/logout").proxy_uri(&Spelling::Short.logout(origin)),
        Request::new("PUT", "/send")
            .proxy_uri(&Spelling::Short.send(origin, &room.room_id, "txn1"))
            .cbor(json!({ "msgtype": "m.text", "body": "hello" })),
    ];
    for request in requests {
        let response = device.request(&request);
        assert_eq!(response.code, "4.01", "{request:?} got {response:?}");
        assert!(
            !response.payload.is_empty(),
            "a diagnostic names the missing token"
        );
    }
}

#[test]
fn bytes_that_cannot_be_a_token_are_refused_with_4_01_or_4_00() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    for token in [
        &b""[..],
        b"\xff\xfe",
        b"line\r\nX-Evil: yes",
        b"nul\0",
        b"Bearer ",
        &[b'x'; 1025],
    ] {
        let response = device.request(&getmsg(&room).option(option::ACCESS_TOKEN, token));
        assert!(
            ["4.00", "4.01"].contains(&response.code.as_str()),
            "{token:02x?} got {response:?}"
        );
    }
}

#[test]
fn a_wrong_password_is_refused_with_4_03_and_the_homeservers_reason() {
    let account = homeserver().register("device");
    let mut device = Aiocoap::start(stage::over_ipv4());
    let login = Request::new("POST", "/login").proxy_uri(&Spelling::Short.login(&synapse().origin)).cbor(json!({
        "type": "m.login.password", "identifier": { "type": "m.id.user", "user": account.name }, "password": "wrong",
    }));
    let response = device.request(&login);
    assert_eq!(
        (response.code.as_str(), response.field("errcode").as_str()),
        ("4.03", "M_FORBIDDEN"),
        "{response:?}"
    );
}

#[test]
fn a_name_that_is_taken_is_refused_with_4_00_and_the_homeservers_reason() {
    let account = homeserver().register("device");
    let mut device = Aiocoap::start(stage::over_ipv4());
    let register = Request::new("POST", "/register").proxy_uri(&Spelling::Full.register(&synapse().origin)).cbor(
        json!({ "username": account.name, "password": "another one", "auth": { "type": "m.login.dummy" } }),
    );
    let response = device.request(&register);
    assert_eq!(
        (response.code.as_str(), response.field("errcode").as_str()),
        ("4.00", "M_USER_IN_USE"),
        "{response:?}"
    );
}
