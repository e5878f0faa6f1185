//! The application behind the gateway: it checks that each request is whole and of the device that it says, and counts
//! how often it comes.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use coap::option::URI_QUERY;
use coap::{Endpoint, ExchangeId, Incoming, Message, MessageProtection, PeerId, code};

use crate::oscore::tests::simulation::random::Random;

/// Numbers of requests of one device.
const OF_DEVICE: u64 = 1_000_000;
/// Bytes of a block toward small devices.
const BLOCK: usize = 64;

pub(super) fn first_number(device: usize) -> u64 {
    device as u64 * OF_DEVICE
}

pub(super) fn principal(device: usize) -> String {
    format!("device-{device}")
}

/// The request with this number: every other one sends something, some of it in blocks.
pub(super) fn request(number: u64) -> Message {
    let message = match number % 2 {
        0 => Message::new(code::GET),
        _ => Message::new(code::PUT).with_payload(text("body", number, number % 3)),
    };
    message.with_option(URI_QUERY, number.to_string())
}

/// The payload of its response.
pub(super) fn answer(number: u64) -> String {
    let blocks = if number.is_multiple_of(2) {
        number % 3
    } else {
        0
    };
    text("answer", number, blocks)
}

fn text(what: &str, number: u64, blocks: u64) -> String {
    let start = format!("{what} {number} ");
    start.clone() + &"x".repeat(blocks as usize * BLOCK)
}

pub(super) struct Application {
    random: Random,
    processed: HashMap<u64, u32>,
    /// Responses, when they are ready.
    thinking: BTreeMap<(Instant, u64), (ExchangeId, Message)>,
    next: u64,
}

impl Application {
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            processed: HashMap::new(),
            thinking: BTreeMap::new(),
            next: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.thinking.clear();
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.thinking.first_key_value().map(|((at, _), _)| *at)
    }

    /// How often it has processed a request.
    pub(super) fn times(&self, number: u64) -> u32 {
        self.processed.get(&number).copied().unwrap_or(0)
    }

    /// `principal_of`: none if the request is not protected.
    pub(super) fn turn<P: PeerId, X: MessageProtection<P>>(
        &mut self,
        now: Instant,
        endpoint: &mut Endpoint<P, X>,
        principal_of: impl Fn(&Incoming<P, X::Context>) -> Option<std::sync::Arc<str>>,
    ) {
        while let Some(incoming) = endpoint.poll_request() {
            let Some(device) = principal_of(&incoming) else {
                endpoint.respond(now, incoming.id, Message::new(code::UNAUTHORIZED));
                continue;
            };
            let response = self.process(&device, &incoming.request.message);
            let slow = self.random.once_in(4);
            let pause = self.random.below(if slow { 8_000 } else { 300 });
            let at = now + Duration::from_millis(pause as u64);
            self.thinking
                .insert((at, self.next), (incoming.id, response));
            self.next += 1;
        }
        while let Some(entry) = self.thinking.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let (id, response) = entry.remove();
            endpoint.respond(now, id, response);
        }
    }

    fn process(&mut self, device: &str, message: &Message) -> Message {
        let query = message.option(URI_QUERY).expect("its number");
        let number = std::str::from_utf8(query).expect("text");
        let number: u64 = number.parse().expect("a number");
        let owner = principal((number / OF_DEVICE) as usize);
        assert_eq!(device, owner, "whose request {number} is");
        let expected = request(number);
        assert_eq!(message.code, expected.code);
        assert_eq!(message.payload, expected.payload, "{number} is whole");
        let times = self.processed.entry(number).or_default();
        *times += 1;
        // The endpoint executes a safe request again for a duplicate, and for a later block of a response that is not
        // there any more (RFC 7252 §5.8.1, RFC 7959 §2.4).
        assert!(
            *times == 1 || code::is_safe(message.code),
            "request {number} was processed twice"
        );
        Message::new(match message.code {
            code::GET => code::CONTENT,
            _ => code::CHANGED,
        })
        .with_payload(answer(number))
    }
}
