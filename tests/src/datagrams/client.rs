//! A device of a case: a socket, with the habits that every stack has.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use coap::{Datagram, MessageType, code};

use super::line::Habit;
use crate::raw::Raw;

/// One device.
pub struct Client {
    raw: Raw,
    /// Whether it responds to confirmable messages.
    pub acknowledges: bool,
    /// How it does.
    pub habit: Habit,
    /// The tokens to whose messages it responds with RST.
    pub resets: Vec<Vec<u8>>,
    /// Confirmable messages that came, to pass over retransmissions.
    seen: Vec<Vec<u8>>,
}

impl Client {
    /// A new socket toward the gateway.
    pub fn new(gateway: SocketAddr) -> Self {
        Self {
            raw: Raw::connect(gateway),
            acknowledges: true,
            habit: Habit::AsSpecified,
            resets: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Sends a datagram.
    pub fn send(&self, datagram: &[u8]) {
        self.raw.send(datagram);
    }

    /// The next datagram before `end` that is no ping, no retransmission and, unless wanted, no empty acknowledgement.
    pub fn receive(&mut self, end: Instant, wants_empty: bool) -> Option<(Vec<u8>, Datagram)> {
        loop {
            let left = end.checked_duration_since(Instant::now())?;
            let bytes = self.raw.receive(left.max(Duration::from_millis(1)))?;
            let datagram = coap::decode(&bytes);
            let datagram = datagram.unwrap_or_else(|error| panic!("{error} in {bytes:02x?}"));
            let is_empty = datagram.message.code == code::EMPTY;
            if datagram.message_type == MessageType::Confirmable {
                if self.acknowledges {
                    self.send(&self.reply_to(&datagram));
                }
                if is_empty || self.seen.contains(&bytes) {
                    continue;
                }
                self.seen.push(bytes.clone());
            }
            let is_acknowledgement = datagram.message_type == MessageType::Acknowledgement;
            if is_empty && is_acknowledgement && !wants_empty {
                continue;
            }
            return Some((bytes, datagram));
        }
    }

    /// Its response to a confirmable message.
    fn reply_to(&self, datagram: &Datagram) -> Vec<u8> {
        let [high, low] = datagram.message_id.to_be_bytes();
        let is_ping = datagram.message.code == code::EMPTY;
        let is_unknown = self
            .resets
            .iter()
            .any(|token| token == datagram.token.as_bytes());
        match self.habit {
            // CoAP-simple writes its number for no Content-Format, -1.
            Habit::NotFound => vec![0x60, code::NOT_FOUND, high, low, 0xc2, 0xff, 0xff],
            Habit::AsSpecified if is_ping || is_unknown => vec![0x70, code::EMPTY, high, low],
            _ => vec![0x60, code::EMPTY, high, low],
        }
    }
}
