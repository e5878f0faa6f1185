//! Requests without Proxy-Uri and without token: the gateway's own homeserver, token and room names stand in.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Spelling};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::places::Scratch;
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::json;

use crate::stage::{Room, homeserver, synapse};

fn send(path: &str, body: &str) -> Request {
    Request::new("PUT", path).cbor(json!({ "msgtype": "m.text", "body": body }))
}

/// A gateway with the token of the room's device.
fn gateway_with_token_of(room: &Room, scratch: &Scratch) -> Gateway {
    let token_file = scratch
        .write("token", &room.device.access_token)
        .display()
        .to_string();
    Gateway::start(&[
        "--homeserver",
        &synapse().origin,
        "--access-token-file",
        &token_file,
    ])
}

#[test]
fn the_configured_token_joins_sends_and_reads_for_a_device_that_names_only_the_room() {
    let scratch = Scratch::new("token");
    let (person, device) = (
        homeserver().register("person"),
        homeserver().register("device"),
    );
    let room = Room {
        room_id: person.create_room(None),
        person,
        device,
    };
    room.person.invite(&room.room_id, &room.device.user_id);
    let gateway = gateway_with_token_of(&room, &scratch);
    let mut client = Aiocoap::start(gateway.address);
    let joined = client.request(&Request::new("POST", &format!("/join/{}", room.room_id)));
    assert_eq!(
        (joined.code.as_str(), joined.value),
        ("2.04", Some(json!({ "room_id": room.room_id })))
    );

    let first = client.request(&send(&format!("/send/{}", room.room_id), "hello"));
    assert_eq!(first.code, "2.04", "{first:?}");
    let second = client.request(&send(&format!("/send/{}", room.room_id), "hello"));
    assert_ne!(
        first.field("event_id"),
        second.field("event_id"),
        "two requests are two messages"
    );

    let path = format!("/send/{}/my-own-transaction", room.room_id);
    let (third, fourth) = (
        client.request(&send(&path, "once")),
        client.request(&send(&path, "once")),
    );
    assert_eq!(
        third.field("event_id"),
        fourth.field("event_id"),
        "the device has given both one transaction"
    );
    assert_eq!(room.person.messages(&room.room_id).len(), 3);

    let read = client.request(&Request::new("GET", &format!("/getmsg/{}", room.room_id)));
    assert_eq!(
        read.value,
        Some(json!({ "sender": room.device.user_id, "body": "once" })),
        "{read:?}"
    );
}

#[test]
fn a_device_s_own_token_comes_before_the_configured_one() {
    let scratch = Scratch::new("token");
    let room = Room::new();
    let gateway = gateway_with_token_of(&room, &scratch);
    let mut client = Aiocoap::start(gateway.address);
    let path = format!("/send/{}", room.room_id);
    let sent = client.request(&send(&path, "from the person").token(&room.person.access_token));
    assert_eq!(sent.code, "2.04", "{sent:?}");
    assert_eq!(
        room.person.messages(&room.room_id)[0]["sender"],
        json!(room.person.user_id)
    );
}

#[test]
fn logout_never_uses_the_configured_token() {
    let scratch = Scratch::new("token");
    let room = Room::new();
    let gateway = gateway_with_token_of(&room, &scratch);
    let mut client = Aiocoap::start(gateway.address);
    let with_uri =
        Request::new("POST", "/logout").proxy_uri(&Spelling::Short.logout(&synapse().origin));
    for request in [Request::new("POST", "/logout"), with_uri] {
        let response = client.request(&request);
        assert_eq!(response.code, "4.01", "{response:?}");
    }
    assert_eq!(
        homeserver().whoami(&room.device.access_token).0,
        200,
        "the token is as good as before"
    );
}

#[test]
fn the_configured_token_goes_to_its_own_homeserver_and_nowhere_else() {
    let scratch = Scratch::new("token");
    let own = Stub::always(Behaviour::json(200, json!({ "event_id": "$own" })));
    let other = Stub::always(Behaviour::json(200, json!({ "event_id": "$other" })));
    let token_file = scratch
        .write("token", "the-configured-token")
        .display()
        .to_string();
    let arguments = [
        "--homeserver",
        &own.origin,
        "--homeserver",
        &other.origin,
        "--access-token-file",
        &token_file,
    ];
    let gateway = Gateway::start(&arguments);
    let mut client = Aiocoap::start(gateway.address);
    for (stub, code) in [(&own, "2.04"), (&other, "4.01")] {
        let uri = Spelling::Short.send(&stub.origin, "!room:localhost", "txn1");
        let response = client.request(&send("/send", "hello").proxy_uri(&uri));
        assert_eq!(response.code, code, "{response:?}");
    }
    let received = own.received();
    assert_eq!(
        received[0].header("authorization"),
        Some("Bearer the-configured-token")
    );
    let leaked = other
        .received()
        .iter()
        .any(|request| request.header("authorization").is_some());
    assert!(!leaked, "the other homeserver saw a token");
}

#[test]
fn without_proxy_uri_the_first_homeserver_is_asked() {
    let first = Stub::always(Behaviour::json(200, json!({ "event_id": "$first" })));
    let second = Stub::always(Behaviour::json(200, json!({ "event_id": "$second" })));
    let gateway = Gateway::start(&[
        "--homeserver",
        &first.origin,
        "--homeserver",
        &second.origin,
    ]);
    let mut client = Aiocoap::start(gateway.address);
    let response = client.request(&send("/send/!room:localhost", "hello").token("t"));
    assert_eq!(response.field("event_id"), "$first");
    assert_eq!((first.received().len(), second.connections()), (1, 0));
    let request = &first.received()[0];
    assert_eq!(request.method, "PUT");
    assert!(
        request.target.starts_with("/_matrix/client/v3/rooms/"),
        "{}",
        request.target
    );
}

#[test]
fn register_and_login_need_no_proxy_uri() {
    let room = Room::new();
    let scratch = Scratch::new("token");
    let gateway = gateway_with_token_of(&room, &scratch);
    let mut client = Aiocoap::start(gateway.address);
    let name = format!("{}-short", room.device.name);
    let register =
        json!({ "username": name, "password": "long enough", "auth": { "type": "m.login.dummy" } });
    let registered = client.request(&Request::new("POST", "/register").cbor(register));
    assert_eq!(registered.code, "2.04", "{registered:?}");
    let login = json!({
        "type": "m.login.password", "identifier": { "type": "m.id.user", "user": name }, "password": "long enough",
    });
    let logged_in = client.request(&Request::new("POST", "/login").cbor(login));
    assert_eq!(homeserver().whoami(&logged_in.field("access_token")).0, 200);
}
