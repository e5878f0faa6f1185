//! The devices and their messages: what they have sent, what they heard, and what that promises.

use std::net::IpAddr;

use contract::secret::AccessToken;
use contract::{DeliveryId, HttpRequest, Peer, Sender, Upstream};
use homeserver::Caller;
use tokio::time::Instant;

/// Devices: the first has the mode `always`, the last one a token of its own.
pub const DEVICES: usize = 3;
/// Rooms, each a lane for each account.
pub const ROOMS: usize = 3;
/// The homeserver.
pub const ORIGIN: &str = "https://matrix.example.org/";

/// A message that a device has made.
pub struct Message {
    pub device: usize,
    pub room: String,
    pub body: Vec<u8>,
    /// Its number, if the device gives one.
    pub transaction: Option<String>,
    pub first_sent: Instant,
    /// The digest of its last datagram, and when that was sent first.
    pub digest: [u8; 16],
    pub datagram_sent: Instant,
    /// The ids that it has had: one without a number has another one after a reboot.
    pub ids: Vec<DeliveryId>,
    pub exchanges: Vec<Exchange>,
    /// The short id that the device has.
    pub queued: Option<String>,
    /// It has failed: the homeserver refused it, or it expired.
    pub failed: bool,
    /// The operator has dropped it, or made it wait again: it has lost its place.
    pub dropped: bool,
    pub revived: bool,
}

/// One passing of a message to the gateway.
pub struct Exchange {
    /// The order of all exchanges.
    pub began: u64,
    pub end: Heard,
}

/// What the device has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing yet.
    Nothing,
    /// Nothing, and never will: the gateway has ended.
    Lost,
    /// 2.04 with an id.
    Queued,
    /// 2.04 with the event's id.
    Sent,
    /// An error.
    Refused,
}

impl Message {
    /// Whether the gateway has promised to send it.
    pub fn is_promised(&self) -> bool {
        let kept = |heard: &Exchange| matches!(heard.end, Heard::Queued | Heard::Sent);
        self.exchanges.iter().any(kept)
    }

    /// Whether the device heard a refusal each time.
    pub fn is_refused(&self) -> bool {
        let mut ends = self.exchanges.iter();
        ends.all(|heard| heard.end == Heard::Refused)
    }

    pub fn is_in_flight(&self) -> bool {
        let mut ends = self.exchanges.iter();
        ends.any(|heard| heard.end == Heard::Nothing)
    }

    /// The order of its first exchange, and of the one that made the promise.
    pub fn order(&self) -> Option<(u64, u64)> {
        let kept = |heard: &&Exchange| matches!(heard.end, Heard::Queued | Heard::Sent);
        let promised = self.exchanges.iter().find(kept)?;
        Some((self.exchanges.first()?.began, promised.began))
    }

    /// The transaction as the rule makes it: `boot` is in the id of an exchange.
    pub fn transaction_in(&self, boot: u64) -> String {
        let exchange = || format!("{boot}-{}", u128::from_be_bytes(self.digest));
        self.transaction.clone().unwrap_or_else(exchange)
    }

    /// What the rule asks for; its path lacks the last segment.
    pub fn request(&self) -> HttpRequest {
        let path = [
            "_matrix",
            "client",
            "v3",
            "rooms",
            &self.room,
            "send",
            "m.room.message",
        ];
        HttpRequest {
            upstream: Upstream::Standard,
            credential: "any".into(),
            method: "PUT".into(),
            path: path.map(str::to_owned).into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Some(self.body.clone()),
            hold_ms: 0,
        }
    }
}

/// A device as the homeserver calls need it.
pub fn caller(device: usize) -> Caller {
    let peer = peer(device);
    let token = AccessToken::parse(b"of-the-device").expect("it is a token");
    Caller {
        owner: share::Owner::new(device as u64, None),
        peer,
        is_proven: true,
        token: (device + 1 == DEVICES).then_some(token),
        session: None,
        requested: None,
    }
}

pub fn ip(device: usize) -> IpAddr {
    IpAddr::from([127, 0, 0, 1 + device as u8])
}

pub fn peer(device: usize) -> Peer {
    Peer::unauthenticated((ip(device), 5683).into())
}

pub fn sender(device: usize) -> Sender {
    Sender::of(&peer(device), caller(device).token.as_ref())
}
