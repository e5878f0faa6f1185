//! Honest devices with a key and with a security context, which ask for the time again and again and measure how long
//! the response takes. A request is sent again as RFC 7252 §4.2 has it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use coap::{Datagram, Message, MessageType, Token, code, option};
use secure::dtls::{ClientSession, ClientStep, PskKey};
use secure::oscore::{Context, SentRequest};

use crate::coaps_stage::Enrolled;
use crate::exchange::request;

/// Time between two requests.
const PERIOD: Duration = Duration::from_millis(10);
/// ACK_TIMEOUT and MAX_RETRANSMIT of RFC 7252 §4.8.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_RETRANSMIT: u32 = 4;
/// For a handshake beside other tests.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// What protects the messages of a device.
trait Protection {
    /// A request as it leaves, and the same again for its next transmissions.
    fn transmit(&mut self, socket: &UdpSocket, number: u16, is_first: bool);
    /// The message in a datagram, if it is authentic.
    fn open(&mut self, datagram: &[u8]) -> Option<Datagram>;
}

fn get_time(number: u16, message: Message) -> Vec<u8> {
    coap::encode(&Datagram {
        message_type: MessageType::Confirmable,
        message_id: number,
        token: Token::new(&number.to_be_bytes()).expect("it is short"),
        message,
    })
}

struct WithKey(ClientSession);

impl WithKey {
    fn flush(&mut self, socket: &UdpSocket) -> Vec<ClientStep> {
        let steps = std::iter::from_fn(|| self.0.poll());
        let send = |step: ClientStep| match step {
            ClientStep::Send(datagram) => {
                socket.send(&datagram).expect("it is sent");
                None
            }
            other => Some(other),
        };
        steps.filter_map(send).collect()
    }

    fn connect(device: &Enrolled, socket: &UdpSocket) -> Self {
        let key = PskKey::parse(&device.key).expect("a key");
        let session = ClientSession::with_key(&device.name, key, HANDSHAKE, Instant::now());
        let mut session = Self(session.expect("good settings"));
        let mut buffer = [0; 2048];
        while !session.flush(socket).contains(&ClientStep::Connected) {
            let now = Instant::now();
            let stepped = match socket.recv(&mut buffer) {
                Ok(length) => session.0.handle_datagram(now, &buffer[..length]),
                Err(_) => session.0.handle_timeout(now),
            };
            stepped.expect("the handshake goes on");
        }
        session
    }
}

impl Protection for WithKey {
    fn transmit(&mut self, socket: &UdpSocket, number: u16, _: bool) {
        let bytes = get_time(number, request(code::GET, "time"));
        let sent = self.0.send(Instant::now(), &bytes);
        sent.expect("the session goes on");
        self.flush(socket);
    }

    fn open(&mut self, datagram: &[u8]) -> Option<Datagram> {
        self.0.handle_datagram(Instant::now(), datagram).ok()?;
        std::iter::from_fn(|| self.0.poll()).find_map(|step| match step {
            ClientStep::Message(message) => coap::decode(&message).ok(),
            _ => None,
        })
    }
}

struct WithContext {
    context: Context,
    sent: Option<SentRequest>,
    bytes: Vec<u8>,
}

impl Protection for WithContext {
    fn transmit(&mut self, socket: &UdpSocket, number: u16, is_first: bool) {
        if is_first {
            if let Some(end) = self.context.poll_reservation() {
                self.context.reserved(end);
            }
            let mut message = request(code::GET, "time");
            let sent = self.context.protect_request(&mut message);
            self.sent = Some(sent.expect("there is a number"));
            self.bytes = get_time(number, message);
        }
        socket.send(&self.bytes).expect("it is sent");
    }

    fn open(&mut self, datagram: &[u8]) -> Option<Datagram> {
        let mut datagram = coap::decode(datagram).ok()?;
        if datagram.message.option(option::OSCORE).is_some() {
            let opened = self
                .context
                .unprotect_response(self.sent.as_mut()?, &mut datagram.message);
            opened.ok()?;
        }
        Some(datagram)
    }
}

/// What a device has measured.
#[derive(Debug, Default)]
pub struct Measured {
    /// From the first transmission to the response.
    latencies: Vec<Duration>,
    /// Requests without a response, or with another one.
    pub failed: Vec<String>,
}

impl Measured {
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    pub fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let place = (sorted.len() as f64 * share) as usize;
        let last = sorted.len().saturating_sub(1);
        sorted.get(place.min(last)).copied().unwrap_or_default()
    }
}

/// A device that asks.
pub struct Honest {
    socket: UdpSocket,
    protection: Box<dyn Protection + Send>,
    number: u16,
}

impl Honest {
    /// With a key: it shakes hands.
    pub fn with_key(device: &Enrolled) -> Self {
        let port = u16::try_from(device.port).expect("it is a port");
        let socket = socket(([127, 0, 0, 1], port).into());
        let protection = Box::new(WithKey::connect(device, &socket));
        Self::new(socket, protection)
    }

    /// With a security context.
    pub fn with_context(gateway: SocketAddr, context: Context) -> Self {
        let protection = Box::new(WithContext {
            context,
            sent: None,
            bytes: Vec::new(),
        });
        Self::new(socket(gateway), protection)
    }

    fn new(socket: UdpSocket, protection: Box<dyn Protection + Send>) -> Self {
        let mut device = Self {
            socket,
            protection,
            number: 0,
        };
        // 5.03 while the gateway stores the first sequence numbers.
        let began = Instant::now();
        while device.ask() != Some(code::CONTENT) {
            assert!(
                began.elapsed() < HANDSHAKE,
                "the gateway never tells the time"
            );
        }
        device
    }

    /// Asks until `stop`.
    pub fn work(self, stop: &AtomicBool) -> Measured {
        self.work_and_return(stop).1
    }

    /// The same, and can do so again.
    pub fn work_and_return(mut self, stop: &AtomicBool) -> (Self, Measured) {
        let mut measured = Measured::default();
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            match self.ask() {
                Some(code::CONTENT) => measured.latencies.push(began.elapsed()),
                other => measured.failed.push(format!("{other:?}")),
            }
            std::thread::sleep(PERIOD);
        }
        (self, measured)
    }

    fn ask(&mut self) -> Option<u8> {
        self.number += 1;
        let mut buffer = [0; 2048];
        let mut timeout = ACK_TIMEOUT;
        for transmission in 0..=MAX_RETRANSMIT {
            self.protection
                .transmit(&self.socket, self.number, transmission == 0);
            let end = Instant::now() + timeout;
            while Instant::now() < end {
                let Ok(length) = self.socket.recv(&mut buffer) else {
                    continue;
                };
                let opened = self.protection.open(&buffer[..length]);
                let is_ours = |token: Token| token.as_bytes() == self.number.to_be_bytes();
                if let Some(datagram) = opened.filter(|datagram| is_ours(datagram.token)) {
                    return Some(datagram.message.code);
                }
            }
            timeout *= 2;
        }
        None
    }
}

fn socket(gateway: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.connect(gateway).expect("it is an address");
    let timeout = Some(Duration::from_millis(100));
    socket.set_read_timeout(timeout).expect("it is not zero");
    socket
}
