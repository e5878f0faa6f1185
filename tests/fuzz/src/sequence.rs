//! Whole sequences of events at an endpoint, four bytes each: so that a fuzzer soon finds datagrams that belong
//! together, which random bytes rarely are.

use std::net::{Ipv6Addr, SocketAddr};

use comatrix_coap::option::{BLOCK1, BLOCK2, ECHO, OBSERVE, REQUEST_TAG, URI_PATH};
use comatrix_coap::{Datagram, Message, MessageType, Token, code, encode};

/// Hosts, and ports of each.
const HOSTS: u8 = 3;
const PORTS: u8 = 3;

/// One event.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A request arrives.
    Request(SocketAddr, Shape),
    /// An ACK or RST arrives for the message that the peer received last, or this many IDs beside it.
    Empty(SocketAddr, MessageType, u16),
    /// Bytes arrive.
    Bytes(SocketAddr, &'a [u8]),
    /// Time passes, in units of 10 ms.
    Wait(u16),
    /// The caller responds to its oldest request.
    Respond(u8, u16),
    /// The caller notifies its observation of this number.
    Notify(u8, u16),
}

/// The choices of a request, as bits.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    bits: u8,
    number: u8,
}

impl Shape {
    /// The request. `echo`: a value that the peer has received.
    pub fn datagram(self, echo: Option<&[u8]>) -> Datagram {
        let has = |bit: u8| self.bits >> bit & 1 == 1;
        let method = [code::GET, code::PUT, code::POST, code::FETCH][usize::from(self.bits & 3)];
        let mut message = Message::new(method).with_option(URI_PATH, [b'a' + (self.number >> 6)]);
        if has(3) {
            message.set_uint_option(OBSERVE, u32::from(self.number & 1));
        }
        // Block number and "more" come from the number too, so that blocks follow each other.
        let block = [self.number << 2 & 0xf0 | self.number & 0x08];
        match (has(4), method) {
            (true, code::GET) => message.push_option(BLOCK2, block),
            (true, _) => {
                message.push_option(BLOCK1, block);
                message.push_option(REQUEST_TAG, [self.number >> 7]);
                message.payload = vec![self.number; 16];
            }
            (false, _) if has(5) => message.payload = vec![self.number; 2_000],
            (false, _) => {}
        }
        if let Some(echo) = echo.filter(|_| has(6)) {
            message.push_option(ECHO, echo);
        }
        if has(7) {
            (0..self.number).for_each(|_| message.push_option(2_076, ""));
        }
        Datagram {
            message_type: match has(2) {
                true => MessageType::NonConfirmable,
                false => MessageType::Confirmable,
            },
            message_id: u16::from(self.number & 0x3f),
            token: Token::new(&[self.number & 3]).unwrap_or_default(),
            message,
        }
    }
}

/// Reads events until the bytes end.
pub fn read(mut bytes: &[u8]) -> impl Iterator<Item = Event<'_>> {
    std::iter::from_fn(move || {
        let [kind, peer, first, second, rest @ ..] = bytes else {
            return None;
        };
        let (first, second) = (*first, *second);
        let number = u16::from_be_bytes([first, second]);
        let peer = address(*peer);
        bytes = rest;
        Some(match kind % 10 {
            0..=3 => Event::Request(
                peer,
                Shape {
                    bits: first,
                    number: second,
                },
            ),
            // Half of them are right.
            4 => Event::Empty(
                peer,
                MessageType::Acknowledgement,
                number & 1 & u16::from(first),
            ),
            5 => Event::Empty(peer, MessageType::Reset, u16::from(second % 2) * number),
            6 => {
                let (datagram, rest) = rest.split_at(usize::from(second).min(rest.len()));
                bytes = rest;
                Event::Bytes(peer, datagram)
            }
            7 => Event::Wait(number),
            8 => Event::Respond(first, u16::from(second) * 16),
            _ => Event::Notify(first, u16::from(second) * 16),
        })
    })
}

/// A peer of a few hosts with a few ports each.
fn address(number: u8) -> SocketAddr {
    let host = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number % HOSTS) + 1);
    let port = 5683 + u16::from(number / HOSTS % PORTS);
    SocketAddr::from((host, port))
}

/// A sequence that reaches much: a registration with its ping, a request that waits for a proof, a body in blocks,
/// notifications, guesses.
pub fn seed() -> Vec<u8> {
    let events: &[[u8; 4]] = &[
        [0, 0, 0x08, 0x00], // GET with Observe
        [8, 0, 0, 4],       // response
        [5, 0, 0, 0],       // RST of the ping
        [9, 0, 0, 4],       // notification
        [4, 0, 0, 0],       // its ACK
        [1, 1, 0x01, 0x05], // PUT of another host, which must prove its address
        [1, 1, 0x01, 0x05], // its duplicate
        [7, 0, 0, 200],     // 2 s
        [5, 1, 0, 0],       // RST of the ping
        [8, 0, 0, 1],       // separate response
        [4, 1, 0, 0],       // its ACK
        [2, 2, 0x12, 0x08], // first block of a POST
        [2, 2, 0x12, 0x04], // second and last
        [8, 0, 0, 200],     // response in blocks
        [0, 2, 0x10, 0x04], // its next block
        [1, 5, 0x01, 0x06], // PUT
        [5, 5, 1, 1],       // three wrong RSTs
        [5, 5, 1, 3],
        [5, 5, 1, 5],
        [1, 5, 0x41, 0x07], // PUT with the Echo
        [3, 4, 0x80, 200],  // too many options
        [7, 0, 0x27, 0x10], // 100 s
    ];
    events.concat()
}

/// A message as the endpoint gets it.
pub fn empty(message_type: MessageType, message_id: u16) -> Vec<u8> {
    encode(&Datagram::empty(message_type, message_id))
}
