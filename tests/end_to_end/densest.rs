//! The densest input of the default rule, in half of a call's time: on every machine and for every processor that the
//! gateway is built for, an interpreted one included.

use std::net::SocketAddr;

use comatrix_tests::abuse::encoding::Writer;
use comatrix_tests::abuse::exchange;
use comatrix_tests::device::{CBOR, JSON, option};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::places::Scratch;
use comatrix_tests::raw::Raw;
use comatrix_tests::stub::{Behaviour, Received, Stub};
use serde_json::{Value, json};

/// Half of the default of 20 ms.
const HALF_OF_THE_TIME: &str = "[limits]\nrule_call_ms = 10\n";
/// `[limits] request_body` by default.
const LARGEST_BODY: usize = 128 << 10;
/// Bytes of an event: Matrix allows 65,536 (client-server API, "Size limits").
const LARGEST_EVENT: usize = 60_000;
const TOKEN: &[u8] = b"a-token";
const INTERNAL_SERVER_ERROR: u8 = 5 << 5;

fn gateway(homeserver: &Stub) -> Gateway {
    let scratch = Scratch::new("densest");
    let config = scratch.write("gateway.toml", HALF_OF_THE_TIME);
    let config = config.display().to_string();
    Gateway::start(&["--homeserver", &homeserver.origin, "--config", &config])
}

/// The body of a `/send` with a list of these items, as many as fit.
fn body(start: &[u8], item: &[u8], end: &[u8]) -> Vec<u8> {
    let count = (LARGEST_BODY - start.len() - end.len()) / item.len();
    [start, &item.repeat(count), end].concat()
}

fn bodies() -> Vec<(u16, Vec<u8>)> {
    let cbor = b"\xa3\x67msgtype\x66m.text\x64body\x61x\x61a\x9f";
    let json = br#"{"msgtype":"m.text","body":"x","a":[0"#;
    let of_cbor: [&[u8]; 3] = [b"\x80", b"\xa1\x60\x00", b"\xf9\x00\x01"];
    let of_json: [&[u8]; 3] = [b",[]", b",{\"\":0}", b",5e-324"];
    let of_cbor = of_cbor.map(|item| (CBOR, body(cbor, item, b"\xff")));
    let of_json = of_json.map(|item| (JSON, body(json, item, b"]}")));
    of_cbor.into_iter().chain(of_json).collect()
}

/// The code of the response to a `/send` in blocks. `first_id` is the message ID of its first block.
fn send(gateway: SocketAddr, first_id: u16, format: u16, body: &[u8]) -> u8 {
    let device = Raw::connect(gateway);
    let blocks: Vec<_> = body.chunks(1024).collect();
    let mut code = 0;
    for (block, payload) in (0..).zip(&blocks) {
        let id = first_id + block as u16;
        let bytes = Writer::new(0, 3, id, id)
            .path("send/!r:h")
            .option(option::CONTENT_FORMAT, &format.to_be_bytes()[1..])
            .block1(block, block as usize + 1 < blocks.len(), 6)
            .option(option::ACCESS_TOKEN, TOKEN)
            .payload(payload);
        code = exchange(&device, &bytes, id).expect("the gateway responds");
        if code >> 5 != 2 {
            break;
        }
    }
    code
}

#[test]
fn the_densest_bodies_are_sent_or_get_an_error_in_half_of_the_time() {
    let homeserver = Stub::always(Behaviour::json(200, json!({"event_id": "$sent"})));
    let gateway = gateway(&homeserver);
    for (number, (format, body)) in (0..).zip(bodies()) {
        let code = send(gateway.address, number * 1000, format, &body);
        let is_size_or_format = code == 4 << 5 || code == (4 << 5 | 13);
        assert!(
            code == (2 << 5 | 4) || is_size_or_format,
            "{}.{:02} for {:x?}\n{}",
            code >> 5,
            code & 31,
            &body[..48],
            std::fs::read_to_string(gateway.log_file()).unwrap_or_default()
        );
    }
}

/// A room whose members make its events as dense as Matrix allows.
fn dense_room(_: &Received) -> Behaviour {
    let dense = |number: usize| {
        let values = match number % 3 {
            0 => Value::from(vec![0; LARGEST_EVENT / 2]),
            1 => Value::from(vec![json!([]); LARGEST_EVENT / 3]),
            _ => Value::from(vec![json!({"": 0}); LARGEST_EVENT / 7]),
        };
        json!({
            "type": "m.room.message", "event_id": format!("$event{number}"), "sender": "@member:h",
            "room_id": "!r:h", "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": "x", "a": values},
        })
    };
    let events: Vec<_> = (0..5).map(dense).collect();
    Behaviour::json(200, json!({"chunk": events, "start": "s0", "end": "s1"}))
}

#[test]
fn a_room_of_the_densest_events_is_read_or_gets_an_error_in_half_of_the_time() {
    let homeserver = Stub::scripted(dense_room);
    let gateway = gateway(&homeserver);
    let device = Raw::connect(gateway.address);
    let request = Writer::new(0, 1, 1, 1)
        .path("getmsg/!r:h")
        .option(option::ACCESS_TOKEN, TOKEN)
        .end();
    let code = exchange(&device, &request, 1).expect("the gateway responds");
    assert!(!homeserver.received().is_empty());
    let log = std::fs::read_to_string(gateway.log_file()).unwrap_or_default();
    assert_ne!(code, INTERNAL_SERVER_ERROR, "{log}");
    assert_eq!(code, 2 << 5 | 5, "{log}");
}
