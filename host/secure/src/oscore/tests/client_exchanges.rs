//! Exchanges of a client with blocks in both directions, through an endpoint, on a network that loses datagrams.

use std::time::Duration;

use coap::client::{BlockSize, ClientExchange, Settings};
use coap::option::{ECHO, URI_PATH};
use coap::{Endpoint, Limits, code};

use super::derivation_vectors::{SALT, parameters};
use super::*;

struct Network {
    now: Instant,
    device: Context,
    gateway: Endpoint<u16, Contexts>,
    next_message_id: u16,
    /// Every so many-th datagram is lost; 0: none.
    lost: usize,
    datagrams: usize,
}

impl Network {
    fn new(stored_end: u64, lost: usize) -> Self {
        let parameters = parameters(SALT, "67", "01", None);
        let mut contexts = Contexts::new(1);
        contexts
            .add("kitchen".into(), &parameters, stored_end, None)
            .expect("valid parameters");
        store(&mut contexts);
        Self {
            now: Instant::now(),
            device: Context::new(&mirrored(&parameters), 0).expect("valid parameters"),
            gateway: Endpoint::with_protection(Limits::default(), [1; 16], contexts),
            next_message_id: 1,
            lost,
            datagrams: 0,
        }
    }

    fn arrives(&mut self) -> bool {
        self.datagrams += 1;
        self.lost == 0 || !self.datagrams.is_multiple_of(self.lost)
    }

    fn exchange(&mut self, request: Message) -> Message {
        let settings = Settings {
            block_size: BlockSize::new(64).expect("a block size"),
            confirmable: true,
            ask_block_size: true,
            timeout: Duration::from_secs(120),
            max_response_body: 10_000,
        };
        let mut exchange =
            ClientExchange::new(request, settings, [2; 16], self.next_message_id, self.now);
        let mut protection = ExchangeProtection::new();
        loop {
            while let Some(plain) = exchange.poll_transmit() {
                if let Some(end) = self.device.poll_reservation() {
                    self.device.reserved(end);
                }
                let bytes = protection
                    .outgoing(&mut self.device, plain)
                    .expect("protected");
                if self.arrives() {
                    self.gateway.handle_datagram(self.now, 1, &bytes);
                }
            }
            while let Some(incoming) = self.gateway.poll_request() {
                let body = incoming.request.message.payload;
                let response = Message::new(code::CONTENT).with_payload(body);
                self.gateway.respond(self.now, incoming.id, response);
            }
            let mut is_quiet = true;
            while let Some(transmit) = self.gateway.poll_transmit() {
                if !self.arrives() {
                    continue;
                }
                is_quiet = false;
                if let Ok(bytes) = protection.incoming(&self.device, &transmit.bytes) {
                    exchange.handle_datagram(&bytes, self.now);
                }
            }
            if let Some(outcome) = exchange.outcome() {
                self.next_message_id = exchange.next_message_id();
                return outcome.clone().expect("a response");
            }
            if is_quiet {
                self.now += Duration::from_millis(500);
                exchange.handle_timeout(self.now);
                self.gateway.handle_timeout(self.now);
            }
        }
    }
}

fn fetch(length: usize) -> Message {
    let body: Vec<u8> = (0..length).map(|index| index as u8).collect();
    Message::new(code::POST)
        .with_option(URI_PATH, "body")
        .with_payload(body)
}

#[test]
fn bodies_in_blocks_come_whole_in_both_directions_also_with_losses() {
    for lost in [0, 5, 3] {
        let mut network = Network::new(0, lost);
        for length in [0, 64, 65, 1_000] {
            let request = fetch(length);
            let response = network.exchange(request.clone());
            assert_eq!(
                (response.code, response.payload),
                (code::CONTENT, request.payload)
            );
        }
    }
}

#[test]
fn a_client_goes_on_with_the_echo_value_after_a_restart_of_the_server() {
    let mut network = Network::new(256, 0);
    let challenge = network.exchange(fetch(10));
    assert_eq!(challenge.code, code::UNAUTHORIZED);
    let echo = challenge.option(ECHO).expect("an Echo value");
    let response = network.exchange(fetch(10).with_option(ECHO, echo));
    assert_eq!(response.code, code::CONTENT);
    assert_eq!(network.exchange(fetch(1_000)).payload.len(), 1_000);
}
