//! A device with a key: its socket, and what protects its datagrams (`coaps` with a pre-shared key, or OSCORE).

use std::borrow::Cow;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use coap::{Datagram, Message, MessageType, Token, code, option};
use secure::dtls::{ClientSession, ClientStep, PskKey};
use secure::oscore::{Context, ExchangeProtection, Identifier, MasterSecret, Parameters};

use super::{Failure, device_address};

/// Above the handshake's and a message's own repetitions on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// A repetition is due then: RFC 6347 §4.2.4.1.
const SILENCE: Duration = Duration::from_secs(1);
/// The key of every device: it is a key of this run alone.
pub const KEY: &str = "benchPSK12345678";
/// The master secret of every device; their identifiers differ, so their keys do.
pub const SECRET: [u8; 16] = *b"bench OSCORE 128";

/// What protects the datagrams of a device.
pub enum Protection {
    /// Nothing.
    Plain,
    /// A session, when it was made, and how far its clock is behind: it may be made long before it begins.
    Session(Box<ClientSession>, Instant, Duration),
    /// A security context.
    Oscore(Box<Context>, Box<ExchangeProtection>),
}

impl Protection {
    /// A session whose ClientHello waits.
    ///
    /// # Errors
    /// The library's.
    pub fn session(name: &str) -> Result<Self, Failure> {
        let key = PskKey::parse(KEY)?;
        let made = Instant::now();
        let session = Box::new(ClientSession::with_key(name, key, PATIENCE, made)?);
        Ok(Self::Session(session, made, Duration::ZERO))
    }

    /// A context with this `kid` of two bytes.
    ///
    /// # Errors
    /// The library's.
    pub fn oscore(kid: [u8; 2]) -> Result<Self, Failure> {
        let identifier = |bytes: &[u8]| Identifier::new(bytes).ok_or("an identifier too long");
        let parameters = Parameters {
            master_secret: MasterSecret::new(&SECRET)?,
            master_salt: Vec::new(),
            sender_id: identifier(&kid)?,
            recipient_id: identifier(&[0])?,
            id_context: None,
        };
        let context = Box::new(Context::new(&parameters, 0)?);
        Ok(Self::Oscore(context, Box::default()))
    }

    /// The datagrams to send for this message.
    ///
    /// # Errors
    /// The session is over, or the context has no number left.
    pub fn outgoing(&mut self, plain: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
        match self {
            Self::Plain => Ok(vec![plain.to_vec()]),
            Self::Session(session, _, behind) => {
                session.send(Instant::now() - *behind, plain)?;
                Ok(steps(session).0)
            }
            Self::Oscore(context, exchange) => {
                // The device of a bench keeps its numbers in memory alone: it never starts again.
                if let Some(end) = context.poll_reservation() {
                    context.reserved(end);
                }
                Ok(vec![exchange.outgoing(context, plain.to_vec())?])
            }
        }
    }

    /// Sends this message. Plain ones are not copied: the load's own cost stays small.
    ///
    /// # Errors
    /// As [`outgoing`](Self::outgoing), or the system's.
    pub fn send(&mut self, socket: &mio::net::UdpSocket, plain: &[u8]) -> Result<(), Failure> {
        if let Self::Plain = self {
            socket.send(plain)?;
            return Ok(());
        }
        for datagram in self.outgoing(plain)? {
            socket.send(&datagram)?;
        }
        Ok(())
    }

    /// The message in a datagram; none if it has none, or one that was there before.
    ///
    /// # Errors
    /// The session is over.
    pub fn incoming<'a>(&mut self, datagram: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Failure> {
        match self {
            Self::Plain => Ok(Some(datagram.into())),
            Self::Session(session, _, behind) => {
                session.handle_datagram(Instant::now() - *behind, datagram)?;
                Ok(steps(session).1.map(Cow::from))
            }
            Self::Oscore(context, exchange) => {
                Ok(exchange.incoming(context, datagram).ok().map(Cow::from))
            }
        }
    }
}

/// Datagrams to send, and the last message.
fn steps(session: &mut ClientSession) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let (mut sends, mut message) = (Vec::new(), None);
    while let Some(step) = session.poll() {
        match step {
            ClientStep::Send(datagram) => sends.push(datagram),
            ClientStep::Message(received) => message = Some(received),
            ClientStep::Connected | ClientStep::Closed | ClientStep::Untrusted(_) => {}
        }
    }
    (sends, message)
}

/// A device at an address of its own.
pub struct Device {
    /// Connected to the gateway.
    pub socket: UdpSocket,
    /// What protects its datagrams.
    pub protection: Protection,
    message_id: u16,
}

/// A response, and the UDP payload bytes of its whole exchange, both ways.
pub struct Exchanged {
    /// The response, without protection.
    pub response: Message,
    /// Bytes of the request without and with protection.
    pub request: (usize, usize),
    /// Bytes of all datagrams of the exchange.
    pub bytes: usize,
}

impl Device {
    /// The device with this number.
    ///
    /// # Errors
    /// The system refuses a socket.
    pub fn new(number: usize, at: SocketAddr, protection: Protection) -> Result<Self, Failure> {
        let socket = UdpSocket::bind((device_address(number), 0))?;
        socket.connect(at)?;
        socket.set_read_timeout(Some(SILENCE))?;
        Ok(Self {
            socket,
            protection,
            message_id: 1,
        })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The gateway refuses it, or is silent.
    pub fn connect(&mut self) -> Result<(), Failure> {
        let Protection::Session(session, made, behind) = &mut self.protection else {
            return Ok(());
        };
        let (began, mut buffer) = (Instant::now(), [0; 2048]);
        *behind = began - *made;
        loop {
            let mut is_connected = false;
            while let Some(step) = session.poll() {
                match step {
                    ClientStep::Send(datagram) => drop(self.socket.send(&datagram)?),
                    ClientStep::Connected => is_connected = true,
                    ClientStep::Message(_) | ClientStep::Closed | ClientStep::Untrusted(_) => {}
                }
            }
            if is_connected {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err("a handshake was not finished in time".into());
            }
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    session.handle_datagram(Instant::now() - *behind, &buffer[..length])?
                }
                Err(_) => session.handle_timeout(Instant::now() - *behind)?,
            }
        }
    }

    /// Sends a request until its response is there; again with an Echo value that the gateway asks for.
    ///
    /// # Errors
    /// The gateway is silent.
    pub fn ask(&mut self, message: &Message) -> Result<Exchanged, Failure> {
        let (began, mut message) = (Instant::now(), message.clone());
        while began.elapsed() < PATIENCE {
            let Some(exchanged) = self.ask_once(message.clone())? else {
                // The gateway stores its sequence numbers, or the answer was lost.
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            match exchanged.response.option(option::ECHO).map(<[u8]>::to_vec) {
                Some(echo) if exchanged.response.code == code::UNAUTHORIZED => {
                    message.set_option(option::ECHO, echo);
                }
                _ => return Ok(exchanged),
            }
        }
        Err("the gateway does not respond to a device with a key".into())
    }

    fn ask_once(&mut self, message: Message) -> Result<Option<Exchanged>, Failure> {
        self.message_id += 1;
        let token = Token::new(&self.message_id.to_be_bytes()).unwrap_or_default();
        let plain = coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token,
            message,
        });
        let mut bytes = 0;
        for datagram in self.protection.outgoing(&plain)? {
            bytes += self.socket.send(&datagram)?;
        }
        let request = (plain.len(), bytes);
        let mut buffer = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            bytes += length;
            let Some(received) = self.protection.incoming(&buffer[..length])? else {
                return Ok(None);
            };
            let datagram = coap::decode(&received).map_err(|_| "a datagram that is no CoAP")?;
            if datagram.message_type == MessageType::Confirmable {
                let [high, low] = datagram.message_id.to_be_bytes();
                for empty in self.protection.outgoing(&[0x60, 0, high, low])? {
                    bytes += self.socket.send(&empty)?;
                }
            }
            if datagram.token == token && datagram.message.code != code::EMPTY {
                return Ok(Some(Exchanged {
                    response: datagram.message,
                    request,
                    bytes,
                }));
            }
        }
        Ok(None)
    }
}
