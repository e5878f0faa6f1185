//! A CoAP server with one OSCORE context, for clients of other implementations: `oscore_server ADDRESS [STORED_END]`.
//!
//! It has the identifier 67 and its client 01, in hexadecimal, with master secret and salt of RFC 8613 Appendix C.1.
//! GET `/time` can be observed and changes each second; PUT `/body` keeps a body, which GET `/body` returns.
//! `STORED_END` is what the store of an earlier run had: the replay window is lost then. Its state ends with it.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use coap::option::URI_PATH;
use coap::{Endpoint, Incoming, Limits, Message, ObservationId, code};
use comatrix_secure::oscore::{Contexts, Identifier, MasterSecret, Parameters, Verified};

type Server = Endpoint<SocketAddr, Contexts>;

/// What the resources have.
#[derive(Default)]
struct Resources {
    body: Vec<u8>,
    seconds: u64,
    observation: Option<ObservationId>,
}

fn parameters() -> Result<Parameters, Box<dyn Error>> {
    let id = |byte: u8| Identifier::new(&[byte]).ok_or("an identifier has at most 7 bytes");
    let secret: Vec<u8> = (1..=16).collect();
    Ok(Parameters {
        master_secret: MasterSecret::new(&secret)?,
        master_salt: vec![0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40],
        sender_id: id(0x67)?,
        recipient_id: id(0x01)?,
        id_context: None,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("name the address to listen on")?;
    let stored_end = arguments.next().map_or(Ok(0), |end| end.parse())?;
    let socket = UdpSocket::bind(address)?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut contexts = Contexts::new(1);
    contexts.add("client".into(), &parameters()?, stored_end, None)?;
    let mut server = Endpoint::with_protection(Limits::default(), [1; 16], contexts);
    let (started, mut resources) = (Instant::now(), Resources::default());
    println!("listening on {}", socket.local_addr()?);
    let mut datagram = vec![0; 65_535];
    loop {
        store(server.protection_mut());
        let received = socket.recv_from(&mut datagram);
        let now = Instant::now();
        if let Ok((length, peer)) = received {
            server.handle_datagram(now, peer, &datagram[..length]);
        }
        server.handle_timeout(now);
        if let Some((device, reason)) = server.protection_mut().take_refusal() {
            println!("refused a request of {device:?}: {reason}");
        }
        while let Some(incoming) = server.poll_request() {
            respond(now, &mut server, &mut resources, incoming);
        }
        let seconds = now.duration_since(started).as_secs();
        if let Some(id) = resources
            .observation
            .filter(|_| resources.seconds != seconds)
        {
            server.notify(now, id, time(seconds));
        }
        resources.seconds = seconds;
        while let Some(transmit) = server.poll_transmit() {
            socket.send_to(&transmit.bytes, transmit.peer)?;
        }
        while server.poll_observe_event().is_some() {}
    }
}

/// The store of this server is its output.
fn store(contexts: &mut Contexts) {
    while let Some(reservation) = contexts.poll_reservation() {
        println!(
            "stored end {} for {}",
            reservation.end, reservation.principal
        );
        contexts.reserved(&reservation);
    }
}

fn respond(
    now: Instant,
    server: &mut Server,
    resources: &mut Resources,
    incoming: Incoming<SocketAddr, Verified>,
) {
    let Incoming {
        id,
        protection,
        request,
    } = incoming;
    let device = protection.map(|verified| verified.principal);
    let path = request.message.option(URI_PATH).unwrap_or_default();
    println!(
        "{device:?} {} {}",
        code::Dotted(request.message.code),
        path.escape_ascii()
    );
    let response = match (request.message.code, path, device) {
        (_, _, None) => Message::diagnostic(code::UNAUTHORIZED, "Only for devices with a key"),
        (code::GET, b"time", _) => time(resources.seconds),
        (code::GET, b"body", _) => Message::new(code::CONTENT).with_payload(resources.body.clone()),
        (code::PUT, b"body", _) => {
            resources.body = request.message.payload;
            Message::new(code::CHANGED)
        }
        _ => Message::new(code::NOT_FOUND),
    };
    if request.observes {
        resources.observation = server.respond_observing(now, id, response, None);
    } else {
        server.respond(now, id, response);
    }
}

fn time(seconds: u64) -> Message {
    Message::new(code::CONTENT).with_payload(format!("{seconds} s"))
}
