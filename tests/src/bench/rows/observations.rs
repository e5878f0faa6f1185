//! Ten thousand observers of one room: their memory, and how long a message takes to reach all of them.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

use super::super::Failure;
use super::super::datagram::Request;
use super::super::device_address;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median};
use super::send::{ACCESS_TOKEN, ROOM};

/// Peers, each with as many observations as the gateway allows one.
const PEERS: usize = 625;
const PER_PEER: usize = 16;
/// Registrations under way at the same time.
const AT_ONCE: usize = 64;
/// For all responses, and for all notifications.
const PATIENCE: Duration = Duration::from_secs(60);

/// Memory with all of them, and the time from a message to its last notification.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let homeserver = Server::start_self(&["--stub-homeserver", "0"])?;
    let origin = format!("http://{}", homeserver.address);
    let gateway = gateway.start(&origin)?;
    let idle = gateway.memory("VmRSS")? as f64;
    let mut say = Load::new(gateway.address)?;
    say.add(
        1,
        &[Request::send(&origin, ROOM, ACCESS_TOKEN)],
        None,
        Duration::ZERO,
    )?;
    say.run(Until::Ended(1))?;
    say.run(Until::Quiet)?;

    let mut observers = Observers::new(gateway.address)?;
    let registered = observers.register()?;
    let loaded = gateway.memory("VmRSS")? as f64;
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        let began = Instant::now();
        say.run(Until::Ended(1))?;
        say.run(Until::Quiet)?;
        let (first, last) = observers.notified(began)?;
        firsts.push(first.as_secs_f64() * 1e3);
        lasts.push(last.as_secs_f64() * 1e3);
    }
    let notified = gateway.memory("VmRSS")? as f64;
    let count = PEERS * PER_PEER;
    let row = |name: String, figure: f64, unit: &'static str, most: f64, notes: String| Row {
        name,
        figure,
        unit,
        baseline: None,
        ratio: None,
        target: Target::AtMost(most),
        runs: plan.pairs,
        notes,
    };
    Ok(vec![
        row(
            format!("memory with {count} observations"),
            loaded.max(notified) / 1e6,
            "MB",
            100.0,
            format!(
                "{:.1} MB before; registered in {:.1} s",
                idle / 1e6,
                registered.as_secs_f64()
            ),
        ),
        row(
            format!("from a message to the last of {count} notifications"),
            median(lasts),
            "ms",
            1000.0,
            format!("the first after {:.1} ms", median(firsts)),
        ),
    ])
}

/// Devices that observe, all on one thread.
struct Observers {
    poll: Poll,
    sockets: Vec<UdpSocket>,
}

impl Observers {
    fn new(gateway: SocketAddr) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let mut sockets = Vec::new();
        for index in 0..PEERS {
            let mut socket = UdpSocket::bind((device_address(index), 0).into())?;
            socket.connect(gateway)?;
            poll.registry()
                .register(&mut socket, Token(index), Interest::READABLE)?;
            sockets.push(socket);
        }
        Ok(Self { poll, sockets })
    }

    /// Registers every observation; how long that takes.
    fn register(&mut self) -> Result<Duration, Failure> {
        let began = Instant::now();
        let count = PEERS * PER_PEER;
        let (mut sent, mut registered) = (0, 0);
        while registered < count {
            while sent < count && sent - registered < AT_ONCE {
                self.sockets[sent % PEERS].send(&observe(sent / PEERS)?)?;
                sent += 1;
            }
            self.receive(began, |_, packet| {
                if packet.header.code == MessageClass::Empty {
                    return reset(packet.header.message_id).map(Some);
                }
                let is_observed = packet.get_first_option(CoapOption::Observe).is_some();
                if packet.header.code != MessageClass::Response(ResponseType::Content)
                    || !is_observed
                {
                    return Err(
                        format!("an observation was refused: {:?}", packet.header.code).into(),
                    );
                }
                registered += 1;
                Ok(None)
            })?;
        }
        Ok(began.elapsed())
    }

    /// Takes a notification of every observation and acknowledges it; when the first and the last came.
    fn notified(&mut self, began: Instant) -> Result<(Duration, Duration), Failure> {
        let mut notified = vec![[false; PER_PEER]; PEERS];
        let mut first = None;
        let mut left = PEERS * PER_PEER;
        while left > 0 {
            self.receive(began, |peer, packet| {
                if packet.header.code == MessageClass::Empty {
                    return reset(packet.header.message_id).map(Some);
                }
                first.get_or_insert_with(|| began.elapsed());
                let index = packet
                    .get_token()
                    .first()
                    .copied()
                    .map_or(PER_PEER, usize::from);
                let notified = notified[peer]
                    .get_mut(index)
                    .ok_or("a token nobody has used")?;
                left -= usize::from(!std::mem::replace(notified, true));
                Ok(Some(acknowledge(packet.header.message_id)?))
            })?;
        }
        Ok((first.unwrap_or_default(), began.elapsed()))
    }

    /// Hands each datagram that comes to `take`, and sends its result.
    fn receive(
        &mut self,
        began: Instant,
        mut take: impl FnMut(usize, &Packet) -> Result<Option<Vec<u8>>, Failure>,
    ) -> Result<(), Failure> {
        let mut events = Events::with_capacity(1024);
        self.poll.poll(&mut events, Some(Duration::from_secs(1)))?;
        if began.elapsed() > PATIENCE {
            return Err("observers got no response or notification in time".into());
        }
        let mut bytes = [0; 2048];
        for event in &events {
            let socket = &self.sockets[event.token().0];
            loop {
                let length = match socket.recv(&mut bytes) {
                    Ok(length) => length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                let packet = Packet::from_bytes(&bytes[..length])
                    .map_err(|error| format!("the gateway sent no CoAP: {error:?}"))?;
                if let Some(response) = take(event.token().0, &packet)? {
                    socket.send(&response)?;
                }
            }
        }
        Ok(())
    }
}

/// `GET /getmsg/<room>` with Observe; the index is token and message ID.
fn observe(index: usize) -> Result<Vec<u8>, Failure> {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Confirmable);
    packet.header.message_id = u16::try_from(index)?;
    packet.header.code = MessageClass::Request(RequestType::Get);
    packet.set_token(vec![u8::try_from(index)?]);
    packet.add_option(CoapOption::Observe, Vec::new());
    packet.add_option(CoapOption::UriPath, b"getmsg".to_vec());
    packet.add_option(CoapOption::UriPath, ROOM.as_bytes().to_vec());
    packet.add_option(CoapOption::Unknown(256), ACCESS_TOKEN.as_bytes().to_vec());
    packet
        .to_bytes()
        .map_err(|error| format!("{error:?}").into())
}

/// The response to a ping.
fn reset(message_id: u16) -> Result<Vec<u8>, Failure> {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Reset);
    packet.header.message_id = message_id;
    packet.header.code = MessageClass::Empty;
    packet
        .to_bytes()
        .map_err(|error| format!("{error:?}").into())
}

fn acknowledge(message_id: u16) -> Result<Vec<u8>, Failure> {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Acknowledgement);
    packet.header.message_id = message_id;
    packet.header.code = MessageClass::Empty;
    packet
        .to_bytes()
        .map_err(|error| format!("{error:?}").into())
}
