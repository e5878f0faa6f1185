//! One homeserver that is slow, and everybody else.

use std::time::{Duration, Instant};

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, option};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::places::Scratch;
use comatrix_tests::raw::{Raw, confirmable};
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::json;

use crate::stage::{Stubbed, send_to};

fn sent() -> Behaviour {
    Behaviour::json(200, json!({ "event_id": "$sent" }))
}

/// A `/send` as a datagram.
fn send_datagram(origin: &str, txn: usize, message_id: u16) -> Packet {
    let mut packet = confirmable(
        RequestType::Put,
        "/send",
        message_id,
        &message_id.to_be_bytes(),
    );
    let uri = format!("{origin}/9/!room:localhost/m.room.message/txn{txn}");
    packet.add_option(CoapOption::ProxyUri, uri.into_bytes());
    packet.add_option(CoapOption::ContentFormat, vec![50]);
    packet.add_option(
        CoapOption::Unknown(option::ACCESS_TOKEN),
        b"a-token".to_vec(),
    );
    packet.payload = br#"{"msgtype":"m.text","body":"hello"}"#.to_vec();
    packet
}

#[test]
fn a_slow_homeserver_delays_nobody_else() {
    let slow = Stub::always(Behaviour::Late(Duration::from_secs(6), Box::new(sent())));
    let fast = Stub::always(sent());
    let gateway = Gateway::start(&["--homeserver", &fast.origin, "--homeserver", &slow.origin]);
    let waiting: Vec<Raw> = (0..40)
        .map(|number| {
            let device = Raw::connect(gateway.address);
            let datagram = send_datagram(&slow.origin, number, 7)
                .to_bytes()
                .expect("it fits");
            device.send(&datagram);
            device
        })
        .collect();
    let mut other = Aiocoap::start(gateway.address);
    // The first exchange also waits for Python.
    other.request(&Request::new("GET", "/time"));
    for _ in 0..20 {
        for (request, code) in [
            (Request::new("GET", "/time"), "2.05"),
            (send_to(&fast.origin), "2.04"),
        ] {
            let started = Instant::now();
            let response = other.request(&request);
            assert_eq!(response.code, code, "{response:?}");
            let elapsed = started.elapsed();
            assert!(
                elapsed < Duration::from_secs(3),
                "{} took {elapsed:?}",
                request.path
            );
        }
    }
    for device in &waiting {
        let codes = std::iter::from_fn(|| device.receive_message(Duration::from_secs(15)));
        let response = codes
            .map(|packet| packet.header.code)
            .find(|code| *code != MessageClass::Empty);
        assert_eq!(
            response,
            Some(MessageClass::Response(ResponseType::Changed)),
            "the slow ones get responses too"
        );
    }
}

#[test]
fn a_device_that_waits_gets_an_empty_acknowledgement_and_then_a_separate_response() {
    let slow = Behaviour::Late(Duration::from_secs(4), Box::new(sent()));
    let stubbed = Stubbed::always(slow);
    let device = Raw::connect(stubbed.gateway.address);
    let request = send_datagram(&stubbed.stub.origin, 1, 0x1234);
    let datagram = request.to_bytes().expect("it fits");
    device.send(&datagram);
    // Before a client that keeps to RFC 7252 §4.8 would retransmit: ACK_TIMEOUT is 2 s.
    let ack = device
        .receive_message(Duration::from_millis(1_900))
        .expect("an acknowledgement comes in time");
    assert_eq!(ack.header.get_type(), MessageType::Acknowledgement);
    assert_eq!(
        (ack.header.code, ack.header.message_id),
        (MessageClass::Empty, 0x1234)
    );
    // A retransmission is acknowledged again, and not processed.
    device.send(&datagram);
    let again = device
        .receive_message(Duration::from_millis(1_900))
        .expect("a duplicate is acknowledged");
    assert_eq!(
        (again.header.code, again.header.message_id),
        (MessageClass::Empty, 0x1234)
    );

    let response = device
        .receive_message(Duration::from_secs(10))
        .expect("the response comes");
    assert_eq!(response.header.get_type(), MessageType::Confirmable);
    assert_eq!(
        response.header.code,
        MessageClass::Response(ResponseType::Changed)
    );
    assert_eq!(response.get_token(), request.get_token());
    // Unacknowledged, it comes again (RFC 7252 §4.2), after 2 to 3 s.
    let repeated = device
        .receive_message(Duration::from_secs(5))
        .expect("it is retransmitted");
    assert_eq!(repeated.header.message_id, response.header.message_id);
    device.acknowledge(&repeated);
    assert_eq!(
        device.receive(Duration::from_secs(7)),
        None,
        "an acknowledged response does not come again"
    );
    assert_eq!(
        stubbed.stub.received().len(),
        1,
        "the homeserver was asked once"
    );
}

#[test]
fn a_call_beyond_the_queue_of_a_homeserver_is_refused_with_5_03_and_max_age_at_once() {
    let slow = Stub::always(Behaviour::Late(Duration::from_secs(3), Box::new(sent())));
    let scratch = Scratch::new("configuration");
    // A host has an eighth of both together.
    let limits = "[limits]\ncalls_per_homeserver = 1\ncalls_queued_per_homeserver = 15\n\
                  [outbox]\nmode = \"off\"\n";
    let config = scratch.write("gateway.toml", limits).display().to_string();
    let gateway = Gateway::start(&["--homeserver", &slow.origin, "--config", &config]);
    let devices: Vec<Raw> = (0..3).map(|_| Raw::connect(gateway.address)).collect();
    for (number, device) in devices.iter().enumerate() {
        device.send(
            &send_datagram(&slow.origin, number, 7)
                .to_bytes()
                .expect("it fits"),
        );
    }
    let responses: Vec<Packet> = devices
        .iter()
        .map(|device| {
            let messages = std::iter::from_fn(|| device.receive_message(Duration::from_secs(10)));
            let response = messages
                .into_iter()
                .find(|message| message.header.code != MessageClass::Empty);
            response.expect("everybody gets a response")
        })
        .collect();
    let with_code = |code| {
        responses
            .iter()
            .filter(move |response| response.header.code == MessageClass::Response(code))
    };
    assert_eq!(
        with_code(ResponseType::Changed).count(),
        2,
        "one call runs, one waits"
    );
    let refused: Vec<&Packet> = with_code(ResponseType::ServiceUnavailable).collect();
    let [refused] = refused[..] else {
        panic!("{responses:?}")
    };
    assert!(
        refused.get_option(CoapOption::MaxAge).is_some(),
        "{refused:?}"
    );
    assert_eq!(
        refused.header.get_type(),
        MessageType::Acknowledgement,
        "it did not have to wait"
    );
    assert_eq!(slow.received().len(), 2);
}

#[test]
fn connections_to_the_homeserver_are_kept_and_used_again() {
    let mut stubbed = Stubbed::always(sent());
    for _ in 0..10 {
        let send = stubbed.send();
        assert_eq!(stubbed.device.request(&send).code, "2.04");
    }
    assert_eq!(
        (stubbed.stub.connections(), stubbed.stub.received().len()),
        (1, 10)
    );
}
