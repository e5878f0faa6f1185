//! A probe of a simulated path: a gateway of a few lines, loss and a largest datagram, on a virtual clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use coap::option::{BLOCK1, BLOCK2, URI_PATH};
use coap::{Block, Datagram, Message, MessageType, code, decode, encode};

use super::access::TokenPolicy;
use super::blocks::BlockWise;
use super::findings::Findings;
use super::measure;
use super::path::Path;

/// The list of resources.
const RESOURCES: [u8; 400] = [b'<'; 400];

/// A path, and the gateway at its end.
struct Simulated {
    now: Instant,
    started: Instant,
    /// Delay of one direction.
    delay: Duration,
    /// Every n-th datagram is lost; 0: none.
    lose_every: u32,
    datagrams: u32,
    largest: usize,
    responds: bool,
    arriving: VecDeque<(Instant, Vec<u8>)>,
}

impl Simulated {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            started: now,
            delay: Duration::from_millis(40),
            lose_every: 0,
            datagrams: 0,
            largest: 2_000,
            responds: true,
            arriving: VecDeque::new(),
        }
    }

    fn carries(&mut self, datagram: &[u8]) -> bool {
        self.datagrams += 1;
        let lost = self.lose_every > 0 && self.datagrams.is_multiple_of(self.lose_every);
        self.responds && !lost && datagram.len() <= self.largest
    }

    fn took(&self) -> Duration {
        self.now - self.started
    }

    fn findings(&mut self) -> Findings {
        measure(self, [7; 16])
    }
}

impl Path for Simulated {
    fn now(&self) -> Instant {
        self.now
    }

    fn send(&mut self, datagram: &[u8]) -> bool {
        if self.carries(datagram)
            && let Some(response) = gateway(datagram)
            && self.carries(&response)
        {
            self.arriving
                .push_back((self.now + 2 * self.delay, response));
        }
        true
    }

    fn receive(&mut self, until: Instant) -> Option<Vec<u8>> {
        match self.arriving.front() {
            Some((at, _)) if *at < until => {
                let (at, response) = self.arriving.pop_front()?;
                self.now = self.now.max(at);
                Some(response)
            }
            _ => {
                self.now = self.now.max(until);
                None
            }
        }
    }
}

/// The response of a gateway that has no access token for its devices.
fn gateway(datagram: &[u8]) -> Option<Vec<u8>> {
    let request = decode(datagram).expect("the probe sends CoAP");
    let message = match request.message.option(URI_PATH) {
        None if request.message_type == MessageType::Confirmable => {
            let reset = Datagram::empty(MessageType::Reset, request.message_id);
            return Some(encode(&reset));
        }
        None => return None,
        Some(b"time") => Message::new(code::CONTENT).with_payload("1795000000"),
        Some(b"getmsg") => Message::new(code::UNAUTHORIZED),
        Some(b"login") => {
            let block = request
                .message
                .option(BLOCK1)
                .expect("the upload has blocks");
            Message::new(code::CONTINUE).with_option(BLOCK1, block)
        }
        Some(_) => {
            let asked = request.message.option(BLOCK2).map(Block::decode);
            let asked = asked.and_then(Result::ok).unwrap_or(Block {
                number: 0,
                more: false,
                size_exponent: 2,
            });
            let rest = RESOURCES.get(asked.offset()..).unwrap_or_default();
            let block = Block {
                more: rest.len() > asked.size(),
                ..asked
            };
            let payload = rest.get(..asked.size()).unwrap_or(rest);
            Message::new(code::CONTENT)
                .with_option(BLOCK2, block.encode())
                .with_payload(payload)
        }
    };
    let message_type = match request.message_type {
        MessageType::Confirmable => MessageType::Acknowledgement,
        _ => MessageType::NonConfirmable,
    };
    Some(encode(&Datagram {
        message_type,
        message,
        ..request
    }))
}

#[test]
fn a_good_path_is_measured_in_seconds_and_carries_everything() {
    let mut path = Simulated::new();
    let findings = path.findings();
    assert_eq!(
        (findings.round_trips.sent, findings.round_trips.lost()),
        (20, 0)
    );
    let trip = Duration::from_millis(80);
    assert_eq!(findings.round_trips.spread(), Some([trip; 3]));
    assert_eq!(findings.ping, Some(trip));
    assert_eq!(findings.largest_request, Some(1_152));
    let response = findings.largest_response.expect("one arrives");
    assert_eq!((response.payload, response.limited_to), (400, None));
    assert_eq!(findings.unasked_block, Some(64));
    assert_eq!(
        (findings.download, findings.upload),
        (BlockWise::Works, BlockWise::Works)
    );
    assert_eq!(findings.policy, TokenPolicy::Own);
    assert!(!findings.is_cut_short);
    assert!(path.datagrams < 120 && path.took() < Duration::from_secs(10));
}

#[test]
fn the_largest_datagram_of_a_path_is_found_to_the_byte_with_every_third_datagram_lost() {
    for (largest, lose_every) in [(128, 0), (102, 0), (128, 3), (500, 3)] {
        let mut path = Simulated {
            largest,
            lose_every,
            ..Simulated::new()
        };
        let findings = path.findings();
        assert_eq!(findings.largest_request, Some(largest), "{findings:?}");
        let response = findings.largest_response.expect("one arrives");
        assert!(response.datagram <= largest, "{findings:?}");
        assert_eq!(response.limited_to.is_some(), largest < 400, "{findings:?}");
        let lost = findings.round_trips.lost();
        assert_eq!(lost > 3, lose_every > 0, "{lost}");
        assert!(path.took() < Duration::from_secs(200), "{:?}", path.took());
    }
}

#[test]
fn a_path_that_carries_nothing_ends_the_probe_within_its_limits() {
    let mut path = Simulated {
        responds: false,
        ..Simulated::new()
    };
    let findings = path.findings();
    assert_eq!(findings.round_trips.lost(), findings.round_trips.sent);
    assert_eq!((findings.ping, findings.largest_request), (None, None));
    assert_eq!(findings.policy, TokenPolicy::Silent);
    assert!(path.datagrams <= 310, "{}", path.datagrams);
    assert!(path.took() <= Duration::from_secs(181), "{:?}", path.took());
}

#[test]
fn the_text_says_which_block_to_ask_for_and_json_has_the_numbers() {
    let mut path = Simulated {
        largest: 128,
        ..Simulated::new()
    };
    let findings = path.findings();
    let address = "[::1]:5683".parse().expect("an address");
    let (mut text, mut json) = (Vec::new(), Vec::new());
    findings.write_text(&mut text, address).expect("written");
    findings.write_json(&mut json, address).expect("written");
    let text = String::from_utf8(text).expect("UTF-8");
    for part in [
        "0 of 20 messages",
        "RST after 80.0 ms",
        "up to 128 bytes arrive: send blocks of at most 64 bytes (Block1)",
        "ask for blocks of 64 bytes (Block2)",
        "needed: send one (option 256)",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("one object");
    assert_eq!(
        (&json["largest_request"], &json["lost"]),
        (&128.into(), &0.into())
    );
    assert_eq!(
        (&json["access_token"], &json["incomplete"]),
        (&"own".into(), &false.into())
    );
}
