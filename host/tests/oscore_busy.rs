//! A device with a security context that sends and observes without a pause, through the deaths of its gateway.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use coap::{Datagram, Message, MessageType, Token, code, option};
use secure::oscore::{Context, SentRequest};

use crate::exchange::request;
use crate::oscore_nonces::{Nonces, partial_iv};

/// Transmissions of a request, and the time between two of them: together longer than a gateway takes to start, so that
/// a request of one life is sent again to the next.
const TRANSMISSIONS: u32 = 20;
const TIMEOUT: Duration = Duration::from_millis(100);
/// One notification in so many is not acknowledged, and comes again.
const LOST: u16 = 16;

/// What the devices and the one who kills share.
pub struct World {
    pub gateway: Mutex<SocketAddr>,
    /// Starts of the gateway so far.
    pub lives: AtomicUsize,
    /// Devices that observe in the present life.
    pub observing: AtomicUsize,
    pub is_over: AtomicBool,
}

/// What a device has seen.
#[derive(Default)]
pub struct Seen {
    pub nonces: Nonces,
    /// Those of former contexts of the device.
    pub former_nonces: Vec<Nonces>,
    /// Messages that got 2.04.
    pub accepted: usize,
    pub notifications: usize,
    /// Responses that demand an Echo.
    pub echoes: usize,
    /// Responses to replays, all of them refusals.
    pub refused: usize,
    /// Responses to replays that were no refusals.
    pub replayed: Vec<String>,
}

/// A request, as it left.
struct Sent {
    bytes: Vec<u8>,
    request: SentRequest,
    iv: u64,
}

pub struct Busy<'a> {
    pub world: &'a World,
    number: usize,
    context: Context,
    /// Makes another context, if the device can: with the gateway at this address.
    renew: Option<Renew<'a>>,
    /// The gateway has said that it does not have the context.
    is_unknown: bool,
    socket: UdpSocket,
    /// Message ID and token of the next request.
    next: u16,
    sent: HashMap<Token, Sent>,
    /// The token of the last message that was accepted.
    last: Option<Token>,
    received: u16,
    seen: Seen,
}

/// Another context; none if the gateway died meanwhile.
pub type Renew<'a> = Box<dyn FnMut(SocketAddr) -> Option<Context> + Send + 'a>;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let timeout = Some(Duration::from_millis(5));
    socket.set_read_timeout(timeout).expect("it is not zero");
    socket
}

impl<'a> Busy<'a> {
    pub fn new(world: &'a World, number: usize, context: Context) -> Self {
        Self {
            world,
            number,
            context,
            renew: None,
            is_unknown: false,
            socket: socket(),
            next: 0,
            sent: HashMap::new(),
            last: None,
            received: 0,
            seen: Seen::default(),
        }
    }

    /// The same of a device that makes its contexts itself.
    pub fn renewing(world: &'a World, number: usize, context: Context, renew: Renew<'a>) -> Self {
        Self {
            renew: Some(renew),
            ..Self::new(world, number, context)
        }
    }

    /// In every third life a device that can makes another context, and whenever the gateway does not have its own.
    fn renew(&mut self, is_new_life: bool) -> bool {
        let wants = self.is_unknown || (is_new_life && self.next.is_multiple_of(3));
        let gateway = *self.world.gateway.lock().expect("nobody panics with it");
        let renew = self.renew.as_mut().filter(|_| wants);
        let Some(context) = renew.and_then(|renew| renew(gateway)) else {
            return false;
        };
        self.context = context;
        self.is_unknown = false;
        // Responses to former requests no longer arrive.
        self.socket = socket();
        self.sent.clear();
        self.last = None;
        let former = std::mem::take(&mut self.seen.nonces);
        self.seen.former_nonces.push(former);
        true
    }

    /// Sends and observes until it is over.
    pub fn work(mut self) -> Seen {
        let (mut life, mut observing) = (0, 0);
        while !self.world.is_over.load(Ordering::SeqCst) {
            let now = self.world.lives.load(Ordering::SeqCst);
            let replay = self.last.filter(|_| life < now);
            if self.renew(life < now) {
                observing = 0;
                continue;
            }
            life = now;
            // Before this gateway knows which numbers were used, and after it.
            self.replay(replay);
            self.send_text();
            self.replay(replay);
            if observing < now && self.observe() {
                observing = now;
                self.world.observing.fetch_add(1, Ordering::SeqCst);
            }
        }
        // What is still on its way left the gateway as well.
        let end = Instant::now() + TIMEOUT;
        while Instant::now() < end {
            self.receive();
        }
        self.seen
    }

    fn send_text(&mut self) {
        let mut echo = None;
        for attempt in 0..3 {
            // Each request has a text of its own: nobody but a replay puts one into the room twice.
            let text = format!("{} {} {attempt}", self.number, self.next);
            let message = request(code::PUT, "send/!a:h")
                .with_uint_option(option::CONTENT_FORMAT, 0)
                .with_option(option::ACCESS_TOKEN, "syt_of_kitchen")
                .with_payload(text);
            let Some((token, response)) = self.ask(message, echo.take()) else {
                return;
            };
            if response.code == code::CHANGED {
                self.seen.accepted += 1;
                self.last = Some(token);
                return;
            }
            echo = response.option(option::ECHO).map(<[u8]>::to_vec);
        }
    }

    fn observe(&mut self) -> bool {
        let message = request(code::GET, "getmsg/!a:h")
            .with_uint_option(option::OBSERVE, 0)
            .with_uint_option(option::ACCEPT, 0)
            .with_option(option::ACCESS_TOKEN, "syt_of_kitchen");
        let response = self.ask(message, None);
        response.is_some_and(|(_, response)| response.option(option::OBSERVE).is_some())
    }

    /// The protected response to a request, which is sent again until it comes.
    fn ask(&mut self, mut message: Message, echo: Option<Vec<u8>>) -> Option<(Token, Message)> {
        if let Some(echo) = echo {
            message.push_option(option::ECHO, echo);
        }
        if let Some(end) = self.context.poll_reservation() {
            self.context.reserved(end);
        }
        let protected = self.context.protect_request(&mut message);
        let request = protected.expect("there is a number");
        self.next += 1;
        let token = Token::new(&self.next.to_be_bytes()).expect("it is short");
        let iv = partial_iv(&message).expect("a request has one");
        let bytes = coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.next,
            token,
            message,
        });
        self.sent.insert(token, Sent { bytes, request, iv });
        for _ in 0..TRANSMISSIONS {
            self.transmit(&self.socket, &self.sent[&token].bytes);
            let end = Instant::now() + TIMEOUT;
            while Instant::now() < end {
                match self.receive() {
                    Some((of, response)) if of == token => {
                        return response.map(|response| (token, response));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    fn transmit(&self, socket: &UdpSocket, bytes: &[u8]) {
        let gateway = *self.world.gateway.lock().expect("nobody panics with it");
        // A gateway that is dead refuses it.
        let _ = socket.send_to(bytes, gateway);
    }

    /// The next response or notification within a moment, with its token: none inside if it was not protected.
    fn receive(&mut self) -> Option<(Token, Option<Message>)> {
        let mut buffer = [0; 2048];
        let (length, from) = self.socket.recv_from(&mut buffer).ok()?;
        let Datagram {
            message_type,
            message_id,
            token,
            mut message,
        } = coap::decode(&buffer[..length]).expect("CoAP");
        if message_type == MessageType::Confirmable {
            self.received = self.received.wrapping_add(1);
            if !self.received.is_multiple_of(LOST) {
                let ack = Datagram::empty(MessageType::Acknowledgement, message_id);
                let _ = self.socket.send_to(&coap::encode(&ack), from);
            }
        }
        if message.code == code::EMPTY {
            return None;
        }
        let sent = self.sent.get_mut(&token).expect("it has a request");
        if message.option(option::OSCORE).is_none() {
            self.is_unknown |= message.code == code::UNAUTHORIZED;
            return Some((token, None));
        }
        self.seen.nonces.add(&message, sent.iv);
        let opened = self
            .context
            .unprotect_response(&mut sent.request, &mut message);
        // One that is sent again is no new one.
        opened.ok()?;
        self.seen.notifications += usize::from(message.option(option::OBSERVE).is_some());
        self.seen.echoes += usize::from(message.option(option::ECHO).is_some());
        Some((token, Some(message)))
    }

    /// Sends an accepted message again. Only a refusal may come back.
    fn replay(&mut self, token: Option<Token>) {
        let Some(sent) = token.map(|token| &self.sent[&token]) else {
            return;
        };
        // Another address each time: from one that the gateway knows, it would count as a retransmission.
        let stranger = socket();
        let mut buffer = [0; 2048];
        self.transmit(&stranger, &sent.bytes);
        let end = Instant::now() + TIMEOUT * 5;
        let length = loop {
            match stranger.recv(&mut buffer) {
                Ok(length) => break length,
                // It died, or it needs longer.
                Err(_) if Instant::now() < end => {}
                Err(_) => return,
            }
        };
        let mut message = coap::decode(&buffer[..length]).expect("CoAP").message;
        let iv = sent.iv;
        let is_protected = message.option(option::OSCORE).is_some();
        if is_protected {
            self.seen.nonces.add(&message, iv);
            let sent = token.and_then(|token| self.sent.get_mut(&token));
            let request = &mut sent.expect("it is there").request;
            // With the nonce of the request, it would be the response of one that was accepted: it is not opened.
            let _ = self.context.unprotect_response(request, &mut message);
        }
        let is_open = message.option(option::OSCORE).is_none();
        let is_refusal = is_open && message.code == code::UNAUTHORIZED;
        // The gateway has not yet stored its reservation.
        let is_early = !is_protected && message.code == code::SERVICE_UNAVAILABLE;
        if is_refusal || is_early {
            self.seen.refused += 1;
        } else {
            self.seen.replayed.push(format!("{message:?}"));
        }
    }
}
