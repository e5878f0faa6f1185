//! The story again, by libcoap's `coap-client` with CBOR written by hand.

use comatrix_tests::device::{CBOR, JSON, Request, Response, Spelling};
use comatrix_tests::libcoap;
use serde_json::{Value, json};

use crate::stage::{self, Room, homeserver, synapse};

/// A text string (RFC 8949 §3.1) of at most 65,535 bytes.
fn text(text: &str) -> Vec<u8> {
    let length = text.len();
    let head = match length {
        0..=23 => vec![0x60 | length as u8],
        24..=255 => vec![0x78, length as u8],
        _ => vec![0x79, (length >> 8) as u8, length as u8],
    };
    [head, text.as_bytes().to_vec()].concat()
}

/// A map of at most 23 entries.
fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let pairs = entries
        .iter()
        .flat_map(|(name, value)| [text(name), value.clone()]);
    std::iter::once(vec![0xa0 | entries.len() as u8])
        .chain(pairs)
        .flatten()
        .collect()
}

/// The text at the end of a map with one entry, as `{"access_token": "…"}` is.
fn only_text(response: &Response, name: &str) -> String {
    let start = map(&[(name, Vec::new())]);
    let rest = response
        .payload
        .strip_prefix(start.as_slice())
        .unwrap_or_else(|| panic!("no {name} in {response:?}"));
    let value = match rest {
        [0x78, _, value @ ..] | [0x60..=0x77, value @ ..] => value,
        _ => panic!("no text in {response:?}"),
    };
    String::from_utf8(value.to_vec()).expect("CBOR's text is UTF-8")
}

#[test]
fn the_whole_story_by_libcoap() {
    let origin = synapse().origin.as_str();
    let exchange = |request: Request| libcoap::request(stage::over_ipv6(), &request);
    let person = homeserver().register("person");
    let name = format!("{}-libcoap", person.name);
    let register = map(&[
        ("username", text(&name)),
        ("password", text("libcoap's password")),
        ("auth", map(&[("type", text("m.login.dummy"))])),
    ]);
    let uri = Spelling::Short.register(origin);
    let registered = exchange(
        Request::new("POST", "/register")
            .proxy_uri(&uri)
            .bytes(&register, Some(CBOR)),
    );
    assert_eq!(registered.code, "2.04", "{registered:?}");
    assert!(!only_text(&registered, "access_token").is_empty());

    let login = map(&[
        ("type", text("m.login.password")),
        (
            "identifier",
            map(&[("type", text("m.id.user")), ("user", text(&name))]),
        ),
        ("password", text("libcoap's password")),
    ]);
    let login = Request::new("POST", "/login")
        .proxy_uri(&Spelling::Full.login(origin))
        .bytes(&login, Some(CBOR));
    let access_token = only_text(&exchange(login), "access_token");

    let room_id = person.create_room(None);
    person.invite(&room_id, &format!("@{name}:localhost"));
    let join = Request::new("POST", "/join")
        .proxy_uri(&Spelling::Short.join(origin, &room_id))
        .token(&access_token);
    assert_eq!(only_text(&exchange(join), "room_id"), room_id);

    let body = "by libcoap, in blocks: ".to_owned() + &"0123456789".repeat(500);
    let message = map(&[("msgtype", text("m.text")), ("body", text(&body))]);
    let send = Request::new("PUT", "/send")
        .proxy_uri(&Spelling::Full.send(origin, &room_id, "libcoap"))
        .token(&access_token)
        .bytes(&message, Some(CBOR));
    let event_id = only_text(&exchange(send), "event_id");
    let newest = &person.messages(&room_id)[0];
    assert_eq!(
        (&newest["event_id"], &newest["body"]),
        (&json!(event_id), &json!(body))
    );

    let getmsg = Request::new("GET", "/getmsg")
        .proxy_uri(&Spelling::Short.getmsg(origin, &room_id))
        .token(&access_token);
    let read = exchange(getmsg);
    let expected = map(&[
        ("sender", text(&format!("@{name}:localhost"))),
        ("body", text(&body)),
    ]);
    assert!(
        read.code == "2.05" && read.payload == expected,
        "{} and {} bytes",
        read.code,
        read.payload.len()
    );

    let time = exchange(Request::new("GET", "/time"));
    assert!(
        time.code == "2.05" && time.text().parse::<u64>().is_ok(),
        "{time:?}"
    );
    let logout = Request::new("POST", "/logout")
        .proxy_uri(&Spelling::Short.logout(origin))
        .token(&access_token);
    assert_eq!(exchange(logout).code, "2.04");
    assert_eq!(homeserver().whoami(&access_token).0, 401);
}

#[test]
fn libcoap_sends_non_confirmable_and_in_json() {
    let room = Room::new();
    let send = Request::new("PUT", "/send")
        .proxy_uri(&Spelling::Short.send(&synapse().origin, &room.room_id, "non"))
        .token(&room.device.access_token)
        .bytes(br#"{"msgtype":"m.text","body":"NON"}"#, Some(JSON))
        .accept(JSON)
        .non();
    let response = libcoap::request(stage::over_ipv4(), &send);
    assert_eq!(response.code, "2.04", "{response:?}");
    let sent: Value = serde_json::from_slice(&response.payload).expect("JSON was asked for");
    assert_eq!(
        sent["event_id"],
        room.person.messages(&room.room_id)[0]["event_id"]
    );
}

#[test]
fn libcoap_reports_the_code_of_a_refusal() {
    let room = Room::new();
    let getmsg = Request::new("GET", "/getmsg")
        .proxy_uri(&Spelling::Short.getmsg(&synapse().origin, &room.room_id))
        .token("wrong");
    assert_eq!(libcoap::request(stage::over_ipv4(), &getmsg).code, "4.01");
}
