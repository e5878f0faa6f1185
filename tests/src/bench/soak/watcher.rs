//! One device that observes a room, over a socket that drops datagrams. It records its notifications, to compare them
//! with the room's timeline.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coap::code::{GET, class};
use coap::option::{ACCEPT, BLOCK2, OBSERVE, URI_PATH, content_format};
use coap::{Datagram, Message, MessageType, Token, code, decode, encode};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::super::Failure;
use super::super::device_address;
use super::LOSS;
use super::rooms::Rooms;

/// Between two tries to register.
const RETRY: Duration = Duration::from_secs(3);

/// The messages of one observation, in the order in which they came.
pub struct Observed {
    /// Index of the room.
    pub room: usize,
    /// The first response's first.
    pub notified: Vec<Notified>,
}

/// A message in a notification.
pub struct Notified {
    /// Its text.
    pub body: String,
    /// Messages of a burst that were passed over before it, as it says itself: at least so many.
    pub missed: usize,
}

/// A watcher with its socket.
pub struct Watcher {
    room: usize,
    rooms: Rc<Rooms>,
    socket: UdpSocket,
    /// xorshift64, by the watcher's number.
    state: u64,
    message_id: u16,
    /// The last confirmable message: a repeat of it is acknowledged and else ignored.
    latest: Option<u16>,
}

impl Watcher {
    pub async fn new(
        number: usize,
        gateway: SocketAddr,
        rooms: Rc<Rooms>,
    ) -> Result<Self, Failure> {
        let socket = UdpSocket::bind((device_address(number), 0)).await?;
        socket.connect(gateway).await?;
        Ok(Self {
            room: number % rooms.len(),
            rooms,
            socket,
            state: (number as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95),
            message_id: 0,
            latest: None,
        })
    }

    /// Observes until `end`, and again whenever an observation ends.
    pub async fn run(mut self, end: Instant) -> Result<Vec<Observed>, Failure> {
        let mut observations = Vec::new();
        while let Some(first) = self.register(end).await? {
            let mut notified = vec![first];
            let ended = self.listen(end, &mut notified).await?;
            let room = self.room;
            observations.push(Observed { room, notified });
            if !ended {
                break;
            }
        }
        Ok(observations)
    }

    /// The first response's message; none where `end` comes before.
    async fn register(&mut self, end: Instant) -> Result<Option<Notified>, Failure> {
        while Instant::now() < end {
            self.message_id = self.message_id.wrapping_add(1);
            let request = Message::new(GET)
                .with_option(URI_PATH, "getmsg")
                .with_option(OBSERVE, [])
                // Blocks of 1,024 bytes (RFC 7959 §2.2): each message comes whole.
                .with_uint_option(BLOCK2, 6)
                .with_uint_option(ACCEPT, content_format::JSON.into());
            let request = self.datagram(self.rooms.addressed(request, self.room));
            let token = request.token;
            self.send(&request).await?;
            let again = (Instant::now() + RETRY).min(end);
            while let Some(datagram) = self.receive(again).await? {
                let is_first =
                    datagram.token == token && datagram.message.option(OBSERVE).is_some();
                if is_first && datagram.message.code == code::CONTENT {
                    return Ok(Some(notified(&datagram.message)));
                }
            }
        }
        Ok(None)
    }

    /// Takes notifications; whether the observation ended before `end`.
    async fn listen(&mut self, end: Instant, to: &mut Vec<Notified>) -> Result<bool, Failure> {
        let Some(token) = Token::new(&self.message_id.to_be_bytes()) else {
            return Ok(true);
        };
        while let Some(datagram) = self.receive(end).await? {
            if datagram.token != token {
                continue;
            }
            if class(datagram.message.code) != 2 {
                return Ok(true);
            }
            // The first response may come twice.
            if datagram.message_type == MessageType::Confirmable {
                to.push(notified(&datagram.message));
            }
        }
        Ok(false)
    }

    fn datagram(&self, message: Message) -> Datagram {
        Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(&self.message_id.to_be_bytes()).unwrap_or_default(),
            message,
        }
    }

    /// The next message that was not there before, acknowledged.
    async fn receive(&mut self, limit: Instant) -> Result<Option<Datagram>, Failure> {
        let mut buffer = [0; 2048];
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            let Ok(length) = timeout(left, self.socket.recv(&mut buffer)).await else {
                return Ok(None);
            };
            let datagram = decode(&buffer[..length?])?;
            if self.is_lost() {
                continue;
            }
            if datagram.message_type != MessageType::Confirmable {
                return Ok(Some(datagram));
            }
            let is_ping = datagram.message.code == code::EMPTY;
            let message_type = match is_ping {
                true => MessageType::Reset,
                false => MessageType::Acknowledgement,
            };
            self.send(&Datagram::empty(message_type, datagram.message_id))
                .await?;
            let is_repeat = self.latest.replace(datagram.message_id) == Some(datagram.message_id);
            if !is_ping && !is_repeat {
                return Ok(Some(datagram));
            }
        }
    }

    async fn send(&mut self, datagram: &Datagram) -> Result<(), Failure> {
        if !self.is_lost() {
            self.socket.send(&encode(datagram)).await?;
        }
        Ok(())
    }

    fn is_lost(&mut self) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) % 100 < LOSS
    }
}

/// The message of a JSON payload.
fn notified(message: &Message) -> Notified {
    let json: serde_json::Value = serde_json::from_slice(&message.payload).unwrap_or_default();
    Notified {
        body: json["body"].as_str().unwrap_or_default().to_owned(),
        missed: json["missed"].as_u64().unwrap_or_default() as usize,
    }
}
