//! An endpoint's duties to its network: no flood may shut devices out, no datagram may be made larger for a stranger,
//! and a device that does not know the gateway finds it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coap_lite::{CoapOption, MessageClass, Packet, RequestType, ResponseType};
use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, option};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::libcoap;
use comatrix_tests::places::Scratch;
use comatrix_tests::raw::{Raw, confirmable};

const SOON: Duration = Duration::from_secs(5);
/// RFC 7252 §4.8.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_millis(500);
/// No-Response, which the codec has no name for.
const NO_RESPONSE: u16 = 258;

/// A gateway with this configuration file. Its homeserver is never asked.
fn configured(toml: &str) -> (Gateway, Scratch) {
    let scratch = Scratch::new("endpoint");
    let file = scratch.write("gateway.toml", toml);
    let gateway = Gateway::start(&["--config", &file.display().to_string()]);
    (gateway, scratch)
}

fn time(message_id: u16) -> Packet {
    confirmable(RequestType::Get, "/time", message_id, b"t")
}

fn bytes(packet: &Packet) -> Vec<u8> {
    packet.to_bytes().expect("it fits")
}

#[test]
fn every_device_is_served_while_one_sender_floods_the_gateway() {
    let (gateway, _scratch) = configured("");
    let stop = AtomicBool::new(false);
    let address = gateway.address;
    let (sent, unserved) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let device = Raw::connect(address);
            let junk = [0x40, 0x01, 0x00, 0x01, 0xb4, b't', b'i', b'm', b'e', 0xff];
            let mut sent = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                // Twenty times the datagrams that 802.15.4 carries at its full rate.
                for _ in 0..20 {
                    device.send(&junk);
                    sent += 1;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            sent
        });
        std::thread::sleep(Duration::from_millis(200));
        let mut unserved = Vec::new();
        for number in 0..300 {
            let device = Raw::connect(address);
            let request = bytes(&time(number));
            // On a busy machine the system drops datagrams whose receiver waits for a processor, so a device
            // retransmits (RFC 7252 §4.2). The time until its response is a benchmark.
            let is_served = (0..3).any(|_| {
                device.send(&request);
                device.receive_message(ACK_TIMEOUT).is_some()
            });
            if !is_served {
                unserved.push(number);
            }
        }
        stop.store(true, Ordering::Relaxed);
        (flood.join().expect("it floods"), unserved)
    });
    assert!(sent > 1_000, "only {sent} datagrams of junk");
    assert!(unserved.is_empty(), "{unserved:?} beside {sent} datagrams");
}

#[test]
fn a_device_above_its_rate_is_refused_with_4_29_and_max_age() {
    let (gateway, _scratch) = configured("[limits]\ndatagrams_per_second_per_peer = 20");
    let device = Raw::connect(gateway.address);
    for number in 0..60 {
        device.send(&bytes(&time(number)));
    }
    let responses: Vec<Packet> = std::iter::from_fn(|| device.receive_message(SILENCE)).collect();
    let served =
        |response: &&Packet| response.header.code == MessageClass::Response(ResponseType::Content);
    let limited = |response: &&Packet| u8::from(response.header.code) == 0x9d;
    assert!((20..40).contains(&responses.iter().filter(served).count()));
    let refused = responses.iter().find(limited).expect("it is refused");
    assert_eq!(
        refused
            .get_option(CoapOption::MaxAge)
            .and_then(|values| values.front()),
        Some(&vec![1])
    );
    let other = Raw::connect(gateway.address);
    other.send(&bytes(&time(1)));
    assert!(
        other
            .receive_message(SOON)
            .as_ref()
            .is_some_and(|response| served(&response))
    );
}

#[test]
fn a_stranger_is_sent_136_bytes_and_clients_that_follow_blocks_get_the_whole() {
    let (gateway, _scratch) = configured("");
    let stranger = Raw::connect(gateway.address);
    stranger.send(&bytes(&confirmable(
        RequestType::Get,
        "/.well-known/core",
        1,
        b"",
    )));
    let response = stranger.receive(SOON).expect("a response comes");
    assert!(response.len() <= 136, "{} bytes", response.len());
    assert_eq!(stranger.receive(SILENCE), None);

    let discovery = Request::new("GET", "/.well-known/core");
    let by_aiocoap = Aiocoap::start(gateway.address).request(&discovery);
    let by_libcoap = libcoap::request(gateway.address, &discovery);
    assert!(by_aiocoap.text().len() > 136, "{:?}", by_aiocoap.text());
    assert_eq!(by_libcoap.payload, by_aiocoap.payload);
}

#[test]
fn an_unwanted_response_is_an_empty_acknowledgement() {
    let (gateway, _scratch) = configured("");
    let device = Raw::connect(gateway.address);
    let mut request = time(7);
    request.add_option(CoapOption::Unknown(NO_RESPONSE), vec![2]);
    device.send(&bytes(&request));
    assert_eq!(device.receive(SOON), Some(vec![0x60, 0, 0, 7]));
    assert_eq!(device.receive(SILENCE), None);
    let log = gateway.log();
    assert!(
        log.contains("path=/time") && log.contains("code=2.05"),
        "{log}"
    );
}

#[test]
fn a_device_that_uses_message_ids_again_after_a_restart_is_served_and_said_once() {
    let (gateway, _scratch) = configured("");
    let device = Raw::connect(gateway.address);
    for path in ["/time", "/login", "/nothing"] {
        // None of them is a safe request, so their responses are remembered.
        device.send(&bytes(&confirmable(RequestType::Delete, path, 7, b"t")));
        let response = device.receive_message(SOON).expect("a response comes");
        let expected = if path == "/nothing" { 0x84 } else { 0x85 };
        assert_eq!(u8::from(response.header.code), expected, "{path}");
    }
    let log = gateway.log_until("used a message ID again");
    let said = log.matches("used a message ID again").count();
    assert_eq!(said, 1, "{log}");
}

#[test]
fn where_echo_is_configured_a_device_proves_its_address_once() {
    let (gateway, _scratch) = configured("[coap]\necho = true");
    let device = Raw::connect(gateway.address);
    device.send(&bytes(&time(1)));
    let ping = device.receive(SOON).expect("a ping comes");
    assert_eq!(ping[..2], [0x40, 0], "empty and confirmable");
    device.send(&[0x70, 0, ping[2], ping[3]]);
    for request in [None, Some(time(3))] {
        if let Some(request) = request {
            device.send(&bytes(&request));
        }
        let response = device.receive_message(SOON).expect("a response comes");
        assert_eq!(
            response.header.code,
            MessageClass::Response(ResponseType::Content)
        );
    }
}

#[test]
fn a_representation_that_the_device_has_is_not_sent_again() {
    let (gateway, _scratch) = configured("");
    let mut device = Aiocoap::start(gateway.address);
    let first = device.request(&Request::new("GET", "/.well-known/core"));
    let etag = first.option(4).expect("an ETag").to_vec();
    let again = Request::new("GET", "/.well-known/core").option(4, &etag);
    let valid = device.request(&again);
    assert_eq!((valid.code.as_str(), valid.payload.len()), ("2.03", 0));
    assert_eq!(valid.option(4), Some(etag.as_slice()));
    assert_eq!(
        device.request(&Request::new("GET", "/time")).option(4),
        None
    );
}

#[test]
fn a_proxy_uri_of_the_gateway_itself_is_a_local_request() {
    let (gateway, _scratch) = configured("[coap]\nnames = [\"gateway.example\"]");
    let mut device = Aiocoap::start(gateway.address);
    let port = gateway.address.port();
    for (uri, code) in [
        (format!("coap://127.0.0.1:{port}/time"), "2.05"),
        (format!("coap://gateway.example:{port}/time"), "2.05"),
        ("coap://127.0.0.1:1/time".to_owned(), "5.05"),
        (format!("coap://another.example:{port}/time"), "5.05"),
    ] {
        let response = device.request(&Request::new("GET", "/").proxy_uri(&uri));
        assert_eq!(response.code, code, "{uri}");
    }
}

#[test]
fn an_error_comes_as_problem_details_where_they_are_asked_for() {
    let (gateway, _scratch) = configured("");
    let mut device = Aiocoap::start(gateway.address);
    let response = device.request(&Request::new("GET", "/nothing").accept(257));
    assert_eq!(
        (
            response.code.as_str(),
            response.number(option::CONTENT_FORMAT)
        ),
        ("4.04", Some(257))
    );
    assert!(response.payload.starts_with(b"\xa3\x20\x69Not Found"));
}
