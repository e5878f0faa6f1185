//! The exchange against a simulated server: virtual time, latency, loss.

mod against_endpoint;
mod blocks;
mod messages;
mod observing;

use std::time::{Duration, Instant};

use super::{BlockSize, ClientExchange, ExchangeError, Settings};
use crate::code::{CONTENT, GET, PUT};
use crate::codec::{decode, encode};
use crate::message::{Datagram, Message, MessageType, Token};
use crate::option::{CONTENT_FORMAT, URI_PATH};

const LATENCY: Duration = Duration::from_millis(10);

const SETTINGS: Settings = Settings {
    confirmable: true,
    block_size: BlockSize::LARGEST,
    ask_block_size: false,
    timeout: Duration::from_secs(100),
    max_response_body: 100_000,
};

/// The outcome of an exchange.
struct Run {
    outcome: Result<Message, ExchangeError>,
    /// The client's datagrams with the time since the start, lost ones too.
    sent: Vec<(Duration, Datagram)>,
    took: Duration,
    retransmissions: u32,
}

/// Runs an exchange to its end. `server` responds to a datagram with datagrams, each after a delay beyond the latency;
/// the client's datagrams whose position is in `lost` do not reach it.
fn run(
    request: Message,
    settings: Settings,
    lost: &[usize],
    mut server: impl FnMut(&Datagram) -> Vec<(Duration, Vec<u8>)>,
) -> Run {
    let start = Instant::now();
    let mut now = start;
    let mut exchange = ClientExchange::new(request, settings, [7; 16], 1, now);
    let mut sent = Vec::new();
    let mut arriving: Vec<(Instant, Vec<u8>)> = Vec::new();
    loop {
        while let Some(bytes) = exchange.poll_transmit() {
            let datagram = decode(&bytes).expect("the client sends valid messages");
            if !lost.contains(&sent.len()) {
                let responses = server(&datagram).into_iter();
                arriving.extend(responses.map(|(delay, bytes)| (now + 2 * LATENCY + delay, bytes)));
            }
            sent.push((now - start, datagram));
        }
        arriving.sort_by_key(|(at, _)| *at);
        if let Some(outcome) = exchange.outcome().cloned() {
            let retransmissions = exchange.retransmissions();
            assert_eq!(exchange.next_timeout(), None);
            return Run {
                outcome,
                sent,
                took: now - start,
                retransmissions,
            };
        }
        let timeout = exchange
            .next_timeout()
            .expect("an exchange without outcome waits");
        if arriving.first().is_some_and(|(at, _)| *at <= timeout) {
            let (at, bytes) = arriving.remove(0);
            now = at;
            exchange.handle_datagram(&bytes, now);
        } else {
            now = timeout;
            exchange.handle_timeout(now);
        }
    }
}

fn piggybacked(request: &Datagram, message: Message) -> Vec<u8> {
    let Datagram {
        message_id, token, ..
    } = *request;
    encode(&Datagram {
        message_type: MessageType::Acknowledgement,
        message_id,
        token,
        message,
    })
}

fn separate(message_type: MessageType, message_id: u16, token: Token, message: Message) -> Vec<u8> {
    encode(&Datagram {
        message_type,
        message_id,
        token,
        message,
    })
}

fn empty(message_type: MessageType, message_id: u16) -> Vec<u8> {
    encode(&Datagram::empty(message_type, message_id))
}

fn soon(bytes: Vec<u8>) -> Vec<(Duration, Vec<u8>)> {
    vec![(Duration::ZERO, bytes)]
}

fn get() -> Message {
    Message::new(GET).with_option(URI_PATH, "time")
}

fn put(length: usize) -> Message {
    let body: Vec<u8> = (0..length).map(|position| position as u8).collect();
    Message::new(PUT)
        .with_option(URI_PATH, "send")
        .with_uint_option(CONTENT_FORMAT, 60)
        .with_payload(body)
}

fn content(text: &str) -> Message {
    Message::new(CONTENT).with_payload(text)
}
