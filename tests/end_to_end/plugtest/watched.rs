//! A room whose last message is observed, by aiocoap or by datagrams.

use std::net::SocketAddr;
use std::time::Duration;

use coap_lite::{MessageClass, MessageType, Packet, RequestType};
use comatrix_tests::device::{Request, Response, option};
use comatrix_tests::matrix::encoded;
use comatrix_tests::observer::Observer;
use comatrix_tests::raw::{Raw, confirmable};
use comatrix_tests::wire::{Loss, Sender, Wire};
use serde_json::json;

use super::stage::values;
use crate::stage::{self, Room};

pub const OBSERVE: u16 = 6;

/// A notification is out within a second; a busy machine may take longer.
pub const SOON: Duration = Duration::from_secs(10);

/// A room with one message, and a wire to the gateway.
pub struct Watched {
    pub room: Room,
    pub wire: Wire,
}

impl Watched {
    pub fn new() -> Self {
        Self::over(Loss::NOTHING)
    }

    pub fn over(loss: Loss) -> Self {
        let watched = Self {
            room: Room::new(),
            wire: Wire::to(stage::over_ipv4(), loss),
        };
        watched.say("first");
        watched
    }

    pub fn say(&self, body: &str) {
        let content = json!({ "msgtype": "m.text", "body": body });
        self.room.person.send(&self.room.room_id, &content);
    }

    pub fn request(&self) -> Request {
        Request::new("GET", &format!("/getmsg/{}", encoded(&self.room.room_id)))
            .token(&self.room.device.access_token)
    }

    /// The same as a datagram, with this Observe option.
    pub fn packet(&self, message_id: u16, token: &[u8], observe: Option<u8>) -> Packet {
        let path = format!("/getmsg/{}", self.room.room_id);
        let mut packet = confirmable(RequestType::Get, &path, message_id, token);
        // Zero is the empty value (RFC 7252 §3.2).
        let value = |number| if number == 0 { vec![] } else { vec![number] };
        if let Some(observe) = observe {
            packet.add_option(OBSERVE.into(), value(observe));
        }
        let access_token = self.room.device.access_token.clone().into_bytes();
        packet.add_option(option::ACCESS_TOKEN.into(), access_token);
        packet
    }

    /// An observation by aiocoap that has got its first response.
    pub fn observed(&self) -> (Observer, Response) {
        self.observed_as(&self.request())
    }

    pub fn observed_as(&self, request: &Request) -> (Observer, Response) {
        let observer = Observer::start(self.wire.address, request);
        let first = observer.next(SOON).expect("a response comes");
        assert_eq!(
            (first.code.as_str(), first.field("body").as_str()),
            ("2.05", "first")
        );
        assert!(first.number(OBSERVE).is_some(), "{first:?}");
        (observer, first)
    }

    /// An observation by datagrams that has got its first response.
    pub fn observed_raw(&self, gateway: SocketAddr) -> Raw {
        let device = Raw::connect(gateway);
        device.send(&self.packet(1, b"obs", Some(0)).to_bytes().expect("it fits"));
        let first = response_to(&device, b"obs").expect("a response comes");
        assert_eq!(
            (
                first.header.get_code().as_str(),
                values(&first, OBSERVE).len()
            ),
            ("2.05", 1)
        );
        // The gateway makes sure that somebody is there before it notifies.
        let ping = device.receive_message(SOON).expect("a ping comes");
        assert_eq!(ping.header.code, MessageClass::Empty);
        device.reset(&ping);
        device
    }

    /// Notifications that the gateway sent to aiocoap so far, without the first response and repeats.
    pub fn notifications(&self) -> Vec<Packet> {
        let mut sent: Vec<Packet> = Vec::new();
        for packet in self.wire.sent_by(Sender::Gateway) {
            let repeated = sent
                .iter()
                .any(|earlier| earlier.header.message_id == packet.header.message_id);
            if !values(&packet, OBSERVE).is_empty() && !repeated {
                sent.push(packet);
            }
        }
        sent.drain(..sent.len().min(1));
        sent
    }
}

/// The next response with this token; acknowledged if it came in a confirmable message.
pub fn response_to(device: &Raw, token: &[u8]) -> Option<Packet> {
    while let Some(message) = device.receive_message(SOON) {
        if message.header.get_type() == MessageType::Confirmable {
            device.acknowledge(&message);
        }
        if message.get_token() == token && message.header.code != MessageClass::Empty {
            return Some(message);
        }
    }
    None
}
