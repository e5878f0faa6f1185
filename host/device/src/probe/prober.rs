//! Sends the messages of the probe and finds their responses. Every message counts, and the time of all is limited.

use std::time::{Duration, Instant};

use coap::client::{ClientExchange, Settings};
use coap::{Datagram, Message, MessageType, Token, code, decode, encode};

use super::path::Path;

/// Messages of one probe. The checks need about 60 on a good path and about 200 on a bad one.
const MAX_MESSAGES: u32 = 300;

/// Time of one probe. A path that loses every third message needs about half of it.
const MAX_TIME: Duration = Duration::from_secs(180);

/// How often a message is sent before it counts as not arriving, and how long to wait each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Messages.
    pub tries: u32,
    /// Wait after each of them.
    pub wait: Duration,
}

/// A message of the gateway.
#[derive(Debug)]
pub struct Received {
    /// The message.
    pub datagram: Datagram,
    /// Bytes of the datagram.
    pub length: usize,
    /// When it arrived.
    pub at: Instant,
}

/// A message of the probe.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its message ID.
    pub message_id: u16,
    /// Its token; empty for a ping.
    pub token: Token,
    /// When it left.
    pub at: Instant,
}

/// The client of one probe.
pub struct Prober<'a> {
    path: &'a mut dyn Path,
    seed: [u8; 16],
    next_message_id: u16,
    messages: u32,
    end: Instant,
}

impl<'a> Prober<'a> {
    /// `seed` is random: tokens and message IDs come from it.
    pub fn new(path: &'a mut dyn Path, seed: [u8; 16]) -> Self {
        let end = path.now() + MAX_TIME;
        Self {
            next_message_id: u16::from_be_bytes([seed[0], seed[1]]),
            path,
            seed,
            messages: 0,
            end,
        }
    }

    /// Whether the probe has used its messages or its time: what was not measured until then stays unmeasured.
    pub fn is_exhausted(&self) -> bool {
        self.messages >= MAX_MESSAGES || self.path.now() >= self.end
    }

    /// The most bytes that protection has added to a message on this path.
    pub fn overhead(&self) -> usize {
        self.path.overhead()
    }

    /// The bytes that a non-confirmable request will have.
    pub fn length(message: &Message) -> usize {
        let token = Token::new(&[0; 4]).unwrap_or_default();
        encode(&datagram(MessageType::NonConfirmable, 0, token, message)).len()
    }

    /// Sends a non-confirmable request: the probe itself decides what is sent again. None if it cannot leave.
    pub fn send(&mut self, message: &Message) -> Option<Sent> {
        let id = self.next_message_id();
        // 16 random bits and the message ID: no other request of this probe has this token.
        let bits = [
            self.seed[2],
            self.seed[3],
            id.to_be_bytes()[0],
            id.to_be_bytes()[1],
        ];
        let token = Token::new(&bits).unwrap_or_default();
        self.transmit(datagram(MessageType::NonConfirmable, id, token, message))
    }

    /// Sends a ping: an empty confirmable message (RFC 7252 §4.3).
    pub fn ping(&mut self) -> Option<Sent> {
        let id = self.next_message_id();
        self.transmit(Datagram::empty(MessageType::Confirmable, id))
    }

    /// The next message before `until`. The gateway's own pings get their RST, its responses their ACK.
    pub fn receive(&mut self, until: Instant) -> Option<Received> {
        while let Some(bytes) = self.path.receive(until.min(self.end)) {
            let Ok(datagram) = decode(&bytes) else {
                continue;
            };
            if datagram.message_type == MessageType::Confirmable {
                let reply = match datagram.message.code {
                    code::EMPTY => MessageType::Reset,
                    _ => MessageType::Acknowledgement,
                };
                self.path
                    .send(&encode(&Datagram::empty(reply, datagram.message_id)));
            }
            return Some(Received {
                datagram,
                length: bytes.len(),
                at: self.path.now(),
            });
        }
        None
    }

    /// Sends a request until a response to any of its copies arrives.
    pub fn ask(&mut self, message: &Message, patience: Patience) -> Option<Received> {
        let mut tokens = Vec::new();
        for _ in 0..patience.tries {
            let sent = self.send(message)?;
            tokens.push(sent.token);
            let until = sent.at + patience.wait;
            while let Some(received) = self.receive(until) {
                let datagram = &received.datagram;
                if code::is_response(datagram.message.code) && tokens.contains(&datagram.token) {
                    return Some(received);
                }
            }
        }
        None
    }

    /// One confirmable request with its retransmissions and blocks.
    pub fn exchange(&mut self, request: Message, settings: Settings) -> Option<Message> {
        let left = self.end.saturating_duration_since(self.path.now());
        let settings = Settings {
            timeout: settings.timeout.min(left),
            ..settings
        };
        let mut seed = self.seed;
        // Each exchange has tokens of its own.
        seed[14..].copy_from_slice(&self.next_message_id.to_be_bytes());
        let first = self.next_message_id();
        let mut exchange = ClientExchange::new(request, settings, seed, first, self.path.now());
        loop {
            while let Some(bytes) = exchange.poll_transmit() {
                self.messages += 1;
                self.path.send(&bytes);
            }
            if let Some(outcome) = exchange.outcome() {
                self.next_message_id = exchange.next_message_id();
                return outcome.clone().ok();
            }
            let due = exchange.next_timeout().unwrap_or(self.end).min(self.end);
            if let Some(bytes) = self.path.receive(due) {
                exchange.handle_datagram(&bytes, self.path.now());
            }
            if self.path.now() >= due {
                exchange.handle_timeout(self.path.now());
            }
        }
    }

    fn transmit(&mut self, datagram: Datagram) -> Option<Sent> {
        if self.is_exhausted() {
            return None;
        }
        self.messages += 1;
        let sent = Sent {
            message_id: datagram.message_id,
            token: datagram.token,
            at: self.path.now(),
        };
        self.path.send(&encode(&datagram)).then_some(sent)
    }

    fn next_message_id(&mut self) -> u16 {
        let id = self.next_message_id;
        self.next_message_id = id.wrapping_add(1);
        id
    }
}

fn datagram(
    message_type: MessageType,
    message_id: u16,
    token: Token,
    message: &Message,
) -> Datagram {
    Datagram {
        message_type,
        message_id,
        token,
        message: message.clone(),
    }
}
