//! A device on an address of its own, which retransmits as RFC 7252 §4.2 has it, and can repeat a request to the byte.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::device::{JSON, Payload, Request, Response, option};
use crate::raw::Raw;
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType};

/// The bit of Block2 that says that more blocks follow (RFC 7959 §2.2).
const MORE: u64 = 8;

/// When a device transmits again, and gives up.
#[derive(Debug, Clone, Copy)]
pub struct Retransmission {
    /// Before the first retransmission.
    pub timeout: Duration,
    /// No timeout is longer: each is twice the one before. A request that was acknowledged is repeated after this time
    /// without a response: its gateway may have been killed.
    pub longest: Duration,
    /// From the first transmission.
    pub give_up: Duration,
}

impl Retransmission {
    /// ACK_TIMEOUT and MAX_TRANSMIT_WAIT of RFC 7252 §4.8.
    pub const STANDARD: Self = Self {
        timeout: Duration::from_secs(2),
        longest: Duration::from_secs(32),
        give_up: Duration::from_secs(93),
    };
}

/// The device.
#[derive(Debug)]
pub struct UdpDevice {
    raw: Raw,
    message_id: u16,
    retransmission: Retransmission,
}

impl UdpDevice {
    /// One at this address, with a port of its own, for the gateway at `gateway`.
    pub fn at(address: IpAddr, gateway: SocketAddr) -> Self {
        Self {
            raw: Raw::connect_from(address, gateway),
            message_id: 0x1000,
            retransmission: Retransmission::STANDARD,
        }
    }

    /// The same with other times.
    pub fn retransmitting(self, retransmission: Retransmission) -> Self {
        Self {
            retransmission,
            ..self
        }
    }

    /// A new request as a datagram, with a message ID and a token that no other one has.
    pub fn datagram(&mut self, request: &Request) -> Vec<u8> {
        self.message_id = self.message_id.wrapping_add(1);
        let packet = packet(request, self.message_id);
        packet.to_bytes().expect("it fits into a datagram")
    }

    /// Makes an exchange; its response must come. Further blocks of it are fetched.
    pub fn request(&mut self, request: &Request) -> Response {
        let mut response = self.exchanged(request);
        while let Some(block) = response.number(option::BLOCK2)
            && block & MORE != 0
        {
            // The next number, with the same size.
            let next = ((block & !MORE) + 0x10) as u8;
            let rest = self.exchanged(&request.clone().option(option::BLOCK2, &[next]));
            response.options = rest.options;
            response.payload.extend(rest.payload);
        }
        if response.number(option::CONTENT_FORMAT) == Some(JSON.into()) {
            response.value = serde_json::from_slice(&response.payload).ok();
        }
        response
    }

    fn exchanged(&mut self, request: &Request) -> Response {
        let datagram = self.datagram(request);
        let response = self.exchange(&datagram);
        response.unwrap_or_else(|| panic!("no response to {request:?}"))
    }

    /// Sends this datagram, again and again if it is confirmable, until its response comes.
    pub fn exchange(&self, datagram: &[u8]) -> Option<Response> {
        let Retransmission {
            mut timeout,
            longest,
            give_up,
        } = self.retransmission;
        let request = Packet::from_bytes(datagram).expect("it is a message");
        let is_repeated = request.header.get_type() == MessageType::Confirmable;
        let end = Instant::now() + give_up;
        while Instant::now() < end {
            self.send(datagram);
            let mut again = if is_repeated {
                Instant::now() + timeout
            } else {
                end
            };
            timeout = (2 * timeout).min(longest);
            while let Some(message) = self.receive_until(again.min(end)) {
                let is_of_request = message.header.message_id == request.header.message_id;
                match message.header.code {
                    MessageClass::Empty if is_of_request => again = Instant::now() + longest,
                    MessageClass::Empty => {}
                    _ if message.get_token() == request.get_token() => {
                        return Some(response(message));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Sends a datagram once.
    pub fn send(&self, datagram: &[u8]) {
        self.raw.send(datagram);
    }

    /// The next response, of whichever request; pings are responded to.
    pub fn receive(&self, limit: Duration) -> Option<Response> {
        let end = Instant::now() + limit;
        let messages = std::iter::from_fn(|| self.receive_until(end));
        let mut messages = messages.filter(|message| message.header.code != MessageClass::Empty);
        messages.next().map(response)
    }

    /// The next message, acknowledged; an empty one is an acknowledgement or a reset.
    fn receive_until(&self, end: Instant) -> Option<Packet> {
        loop {
            let left = end.checked_duration_since(Instant::now())?;
            // None also for an error of a datagram that nobody received.
            let Some(message) = self.raw.receive_message(left.max(Duration::from_millis(1))) else {
                continue;
            };
            if message.header.get_type() != MessageType::Confirmable {
                return Some(message);
            }
            if message.header.code == MessageClass::Empty {
                self.raw.reset(&message);
                continue;
            }
            self.raw.acknowledge(&message);
            return Some(message);
        }
    }
}

fn packet(request: &Request, message_id: u16) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_type(match request.non {
        true => MessageType::NonConfirmable,
        false => MessageType::Confirmable,
    });
    packet.header.code = MessageClass::Request(match request.method {
        "GET" => RequestType::Get,
        "PUT" => RequestType::Put,
        "POST" => RequestType::Post,
        other => panic!("no request of this device has the method {other}"),
    });
    packet.header.message_id = message_id;
    packet.set_token(message_id.to_be_bytes().to_vec());
    for segment in request.path.split('/').skip(1) {
        packet.add_option(CoapOption::UriPath, segment.as_bytes().to_vec());
    }
    let formats = [
        (option::CONTENT_FORMAT, request.content_format),
        (option::ACCEPT, request.accept),
    ];
    for (number, format) in formats {
        if let Some(format) = format.and_then(|format| u8::try_from(format).ok()) {
            let value = if format == 0 { vec![] } else { vec![format] };
            packet.add_option(CoapOption::from(number), value);
        }
    }
    for (number, value) in &request.options {
        packet.add_option(CoapOption::from(*number), value.clone());
    }
    packet.payload = match &request.payload {
        Payload::Empty => vec![],
        Payload::Bytes(bytes) => bytes.clone(),
        Payload::Cbor(_) => panic!("this device has no encoder of CBOR"),
    };
    packet
}

fn response(message: Packet) -> Response {
    let mut options: Vec<(u16, Vec<u8>)> = Vec::new();
    for (number, values) in message.options() {
        options.extend(values.iter().map(|value| (*number, value.clone())));
    }
    Response {
        code: message.header.get_code(),
        options,
        payload: message.payload,
        value: None,
    }
}
