//! Tests of the endpoint as a whole, on a virtual clock.

mod amplification;
mod block_sizes;
mod blockwise;
mod bounds;
mod bytes;
mod codec;
mod deferral;
mod deferral_forged;
mod diagnostics;
mod feeding;
mod fetch;
mod first_block;
mod first_blocks;
mod guessing;
mod guessing_mistaken;
mod message_layer;
mod multicast;
mod no_response;
mod observe;
mod observe_ends;
mod observe_pace;
mod option_bounds;
mod option_numbers;
mod peer_id;
mod problem_details;
mod protection;
mod rates;
mod reliability;
mod repetition;
mod reused_ids;
mod separate;
mod separate_ignored;
mod set_limits;
mod shares;
mod simulation;
mod stacks;
mod superseding;
mod truncations;

use std::time::{Duration, Instant};

use super::option::{ACCESS_TOKEN, URI_PATH};
use super::{Datagram, Endpoint, ExchangeId, Incoming, Limits, Message, MessageType, Token, code};
use super::{decode, encode};

/// An endpoint and the time; peers are numbers.
struct Server {
    endpoint: Endpoint<u16>,
    now: Instant,
}

impl Server {
    /// Its peers' addresses count as proven, and nothing limits their traffic and the size of their blocks: most tests
    /// are about something else.
    fn new() -> Self {
        Self::with_limits(Limits {
            unproven_bytes: usize::MAX,
            datagrams_per_second_per_peer: 0,
            first_block_exponent: 6,
            ..Limits::default()
        })
    }

    fn with_limits(limits: Limits) -> Self {
        Self {
            endpoint: Endpoint::new(limits, [5; 16]),
            now: Instant::now(),
        }
    }

    fn receive(&mut self, peer: u16, datagram: &Datagram) {
        self.endpoint
            .handle_datagram(self.now, peer, &encode(datagram));
    }

    /// Everything to be sent now.
    fn sent(&mut self) -> Vec<Datagram> {
        self.sent_bytes()
            .iter()
            .map(|bytes| decode(bytes).expect("own messages are valid"))
            .collect()
    }

    fn sent_bytes(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|transmit| transmit.bytes)
            .collect()
    }

    /// The one datagram to be sent now.
    fn sent_one(&mut self) -> Datagram {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    /// The datagrams that the endpoint sends at once for this one.
    fn response_to(&mut self, datagram: &Datagram) -> Datagram {
        self.receive(1, datagram);
        self.sent_one()
    }

    /// The one request that waits for a response.
    fn incoming(&mut self) -> Incoming<u16> {
        let incoming = self.endpoint.poll_request().expect("a request");
        assert!(self.endpoint.poll_request().is_none(), "only one request");
        incoming
    }

    fn respond(&mut self, id: ExchangeId, response: Message) {
        self.endpoint.respond(self.now, id, response);
    }

    /// The response to this datagram where the caller responds at once.
    fn exchange(&mut self, datagram: &Datagram, response: Message) -> Datagram {
        self.receive(1, datagram);
        let id = self.incoming().id;
        self.respond(id, response);
        self.sent_one()
    }

    /// Lets time pass, handling every timeout in between at its time.
    fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.endpoint.next_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.endpoint.handle_timeout(self.now);
        }
        self.now = end;
    }
}

fn request(message_type: MessageType, message_id: u16, method: u8) -> Datagram {
    let message = Message::new(method).with_option(URI_PATH, "resource");
    Datagram {
        message_type,
        message_id,
        token: token(message_id),
        message,
    }
}

fn confirmable(message_id: u16, method: u8) -> Datagram {
    request(MessageType::Confirmable, message_id, method)
}

fn token(message_id: u16) -> Token {
    Token::new(&message_id.to_be_bytes()).unwrap_or_default()
}

/// A non-confirmable request.
fn non_confirmable(message_id: u16, method: u8) -> Datagram {
    request(MessageType::NonConfirmable, message_id, method)
}

/// A request of a client that understands options above 60, such as Echo.
fn with_token(mut datagram: Datagram) -> Datagram {
    datagram.message.push_option(ACCESS_TOKEN, "secret");
    datagram
}

fn changed() -> Message {
    Message::new(code::CHANGED).with_payload("done")
}
