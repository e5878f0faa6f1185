//! One device: an exchange after the other by the gateway's own CoAP client, over a socket that drops datagrams.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coap::Message;
use coap::client::{BlockSize, ClientExchange, ExchangeError, Settings};
use coap::code::{Dotted, GET, PUT, class};
use coap::option::{ACCESS_TOKEN, CONTENT_FORMAT, URI_PATH, content_format};
use tokio::net::UdpSocket;
use tokio::time::timeout_at;

use super::super::Failure;
use super::super::device_address;
use super::rooms::Rooms;
use super::{LOSS, PERIOD};
use comatrix_tests::tally::Tally;

/// Above MAX_TRANSMIT_WAIT (93 s, RFC 7252 §4.8.2): an exchange that ends here was acknowledged and got no response.
const PATIENCE: Duration = Duration::from_secs(150);

/// How the response to a message begins that waits: a request in JSON without Accept gets CBOR.
const QUEUED: &[u8] = b"\xa1\x66queued";

/// The record of a device.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Requests, repeats not counted.
    pub requests: u64,
    /// Responses with latencies, and everything else by kind.
    pub tally: Tally,
    /// Exchanges that the device gave up as RFC 7252 says.
    pub given_up: u64,
    /// Reads that failed with class 5: of a homeserver that is away.
    pub unavailable: u64,
    /// Messages of `/send` that were acknowledged and waited for the homeserver.
    pub queued: u64,
    /// Index of the room and body of each `/send` that was acknowledged.
    pub sent: Vec<(usize, String)>,
    /// The same of those that were not: they may be in the room, once.
    pub unsure: Vec<(usize, String)>,
}

/// A device with its socket.
pub struct Device {
    number: usize,
    socket: UdpSocket,
    rooms: Rc<Rooms>,
    /// xorshift64, by the device's number: the same traffic in every run, as far as time allows.
    state: u64,
    message_id: u16,
    ledger: Ledger,
}

impl Device {
    pub async fn new(
        number: usize,
        gateway: SocketAddr,
        rooms: Rc<Rooms>,
    ) -> Result<Self, Failure> {
        let socket = UdpSocket::bind((device_address(number), 0)).await?;
        socket.connect(gateway).await?;
        Ok(Self {
            number,
            socket,
            rooms,
            state: (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            message_id: 0,
            ledger: Ledger::default(),
        })
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) % bound
    }

    /// Exchanges until `end`.
    pub async fn run(mut self, end: Instant) -> Result<Ledger, Failure> {
        let mut exchange = None;
        loop {
            let pause = Duration::from_millis(self.below(2 * PERIOD.as_millis() as u64));
            let next = (Instant::now() + pause).min(end);
            // An exchange that is over still acknowledges repeats of its response.
            self.drive(exchange.as_mut(), next).await?;
            if next >= end {
                return Ok(self.ledger);
            }
            exchange = Some(self.exchange().await?);
        }
    }

    async fn exchange(&mut self) -> Result<ClientExchange, Failure> {
        let room = self.number % self.rooms.len();
        let body = format!("device {} message {}", self.number, self.ledger.requests);
        let kind = self.below(100);
        let request = match kind {
            0..60 => Message::new(GET).with_option(URI_PATH, "time"),
            60..85 => self
                .rooms
                .addressed(Message::new(PUT).with_option(URI_PATH, "send"), room)
                .with_uint_option(CONTENT_FORMAT, content_format::JSON.into())
                .with_payload(format!(r#"{{"msgtype":"m.text","body":"{body}"}}"#)),
            _ => self
                .rooms
                .addressed(Message::new(GET).with_option(URI_PATH, "getmsg"), room),
        };
        debug_assert!(kind < 60 || request.option(ACCESS_TOKEN).is_some());
        let settings = Settings {
            confirmable: true,
            block_size: BlockSize::LARGEST,
            ask_block_size: false,
            timeout: PATIENCE,
            max_response_body: 1 << 16,
        };
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&self.below(u64::MAX).to_be_bytes());
        seed[8..].copy_from_slice(&(self.number as u64).to_be_bytes());
        let began = Instant::now();
        let mut exchange = ClientExchange::new(request, settings, seed, self.message_id, began);
        self.ledger.requests += 1;
        self.drive(Some(&mut exchange), began + 2 * PATIENCE)
            .await?;
        self.message_id = exchange.next_message_id();
        self.ledger.tally.retransmissions += u64::from(exchange.retransmissions());
        let outcome = match exchange.outcome() {
            Some(Ok(response)) if class(response.code) == 2 => {
                self.ledger.queued += u64::from(response.payload.starts_with(QUEUED));
                Ok(())
            }
            Some(Ok(response)) => {
                let is_read = kind >= 85;
                self.ledger.unavailable += u64::from(is_read && class(response.code) == 5);
                Err(Dotted(response.code).to_string())
            }
            Some(Err(ExchangeError::Silent { .. } | ExchangeError::NoResponse)) => {
                self.ledger.given_up += 1;
                Err("given up".to_owned())
            }
            Some(Err(error)) => Err(error.to_string()),
            None => Err("no end".to_owned()),
        };
        if (60..85).contains(&kind) {
            let list = match outcome {
                Ok(()) => &mut self.ledger.sent,
                Err(_) => &mut self.ledger.unsure,
            };
            list.push((room, body));
        }
        self.ledger.tally.count(outcome, began.elapsed());
        Ok(exchange)
    }

    /// Moves datagrams until the exchange has an outcome, or, where it had one before, until `limit`.
    async fn drive(
        &mut self,
        exchange: Option<&mut ClientExchange>,
        limit: Instant,
    ) -> Result<(), Failure> {
        let Some(exchange) = exchange else {
            tokio::time::sleep_until(limit.into()).await;
            return Ok(());
        };
        let was_over = exchange.outcome().is_some();
        let mut buffer = [0; 2048];
        loop {
            while let Some(bytes) = exchange.poll_transmit() {
                if self.below(100) >= LOSS {
                    self.socket.send(&bytes).await?;
                }
            }
            let now = Instant::now();
            if now >= limit || (!was_over && exchange.outcome().is_some()) {
                return Ok(());
            }
            let next = exchange
                .next_timeout()
                .map_or(limit, |next| next.min(limit));
            match timeout_at(next.into(), self.socket.recv(&mut buffer)).await {
                Ok(length) => {
                    let length = length?;
                    if self.below(100) >= LOSS {
                        exchange.handle_datagram(&buffer[..length], Instant::now());
                    }
                }
                Err(_) => exchange.handle_timeout(Instant::now()),
            }
        }
    }
}
