//! Devices with pre-shared keys.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use coap::{Endpoint, Limits, PeerId};

use super::application::{Application, principal};
use super::dtls_link::{DtlsLink, key};
use super::records::{ALERT, Records, Writer};
use super::seeds::Tally;
use super::sides::{DEVICES, Gateway};
use crate::dtls::{CertificateRefusal, Credentials, Event, PskDevice, Server, SessionId, Settings};
use crate::oscore::tests::simulation::random::Random;

struct Devices;

impl Credentials for Devices {
    fn psk(&self, identity: &[u8]) -> Option<PskDevice> {
        let name = (0..DEVICES).map(principal);
        let name = name.into_iter().find(|name| name.as_bytes() == identity)?;
        Some(PskDevice {
            key: key(&name),
            principal: name.into(),
        })
    }

    fn certificate(&self, _certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        Err(CertificateRefusal::Malformed)
    }
}

/// A session as the endpoint knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Peer(SessionId<u16>);

impl PeerId for Peer {
    fn has_proven_address(&self) -> bool {
        true
    }

    /// Blocks of 64 bytes fit into the datagrams of small devices.
    fn largest_block(&self) -> u8 {
        2
    }
}

pub(super) struct DtlsGateway {
    random: Random,
    server: Server<u16>,
    endpoint: Endpoint<Peer>,
    principals: HashMap<Peer, Arc<str>>,
    records: Rc<RefCell<Records>>,
    /// The sessions since this start have numbers of their own.
    starts: u64,
    sessions: u64,
    /// The session at an address that opened last.
    at: HashMap<u16, u64>,
    outbox: VecDeque<(u16, Vec<u8>)>,
}

fn server(now: Instant, random: &mut Random) -> Server<u16> {
    let settings = Settings {
        limits: crate::dtls::Limits::default(),
        psk: true,
        certificate: None,
        seed: random.bytes(),
    };
    Server::new(settings, Arc::new(Devices), now).expect("valid limits")
}

impl DtlsGateway {
    /// What the server has done in one call. Each message of the network belongs to the session that it names.
    fn collect(&mut self, now: Instant) {
        let mut closed = HashMap::new();
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Opened {
                    session, principal, ..
                } => {
                    self.principals.insert(Peer(session), principal);
                    self.at.insert(session.peer, session.number);
                    self.sessions += 1;
                }
                Event::Closed { session, .. } => {
                    closed.insert(session.peer, session);
                }
                Event::Refused { .. } => {}
            }
        }
        while let Some(transmit) = self.server.poll_transmit() {
            let closed = closed.get(&transmit.peer).map(|session| session.number);
            let is_alert = transmit.bytes.first() == Some(&ALERT);
            let session = closed
                .filter(|_| is_alert)
                .or(self.at.get(&transmit.peer).copied());
            let writer = Writer::Gateway(self.starts, session.unwrap_or(0));
            self.records.borrow_mut().record(writer, &transmit.bytes);
            self.outbox.push_back((transmit.peer, transmit.bytes));
        }
        while let Some(message) = self.server.poll_message() {
            let peer = Peer(message.session);
            assert_eq!(self.principals.get(&peer), Some(&message.principal));
            self.endpoint.handle_datagram(now, peer, &message.bytes);
        }
        for session in closed.into_values() {
            self.endpoint.forget(now, &Peer(session));
        }
    }
}

impl Gateway for DtlsGateway {
    type Link = DtlsLink;

    fn new(now: Instant, mut random: Random) -> Self {
        Self {
            server: server(now, &mut random),
            endpoint: Endpoint::new(Limits::default(), random.bytes()),
            random,
            principals: HashMap::new(),
            records: Rc::default(),
            starts: 0,
            sessions: 0,
            at: HashMap::new(),
            outbox: VecDeque::new(),
        }
    }

    fn link(&self, now: Instant, device: usize) -> DtlsLink {
        DtlsLink::new(now, device, self.records.clone())
    }

    fn restart(&mut self, now: Instant) {
        self.server = server(now, &mut self.random);
        self.endpoint = Endpoint::new(Limits::default(), self.random.bytes());
        self.principals.clear();
        self.at.clear();
        self.outbox.clear();
        self.starts += 1;
    }

    fn handle_datagram(&mut self, now: Instant, from: u16, datagram: &[u8]) {
        self.server.handle_datagram(now, from, datagram);
        self.collect(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
        self.collect(now);
        self.endpoint.handle_timeout(now);
    }

    fn next_timeout(&self) -> Option<Instant> {
        let endpoint = self.endpoint.next_timeout();
        endpoint.into_iter().chain(self.server.next_timeout()).min()
    }

    fn turn(&mut self, now: Instant, application: &mut Application) {
        let principals = &self.principals;
        application.turn(now, &mut self.endpoint, |incoming| {
            principals.get(&incoming.request.peer).cloned()
        });
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let sent = self.server.send(now, &transmit.peer.0, &transmit.bytes);
            assert!(
                !matches!(sent, Err(crate::dtls::SendError::TooLong { .. })),
                "{sent:?}"
            );
            self.collect(now);
        }
    }

    fn poll_transmit(&mut self) -> Option<(u16, Vec<u8>)> {
        self.outbox.pop_front()
    }

    fn check_bounds(&self) {
        let limits = crate::dtls::Limits::default();
        let sessions = self.server.session_count();
        assert!(sessions <= limits.sessions_per_principal * DEVICES);
        assert!(self.server.handshake_count() <= limits.handshakes);
        assert!(self.endpoint.held_in_all().bytes <= Limits::default().held_bytes);
    }

    fn check_rest(&self) {
        assert_eq!(self.server.handshake_count(), 0, "handshakes");
        assert_eq!(self.endpoint.held_in_all(), Default::default());
        assert_eq!(self.endpoint.in_flight(), 0);
    }

    fn count(&self, tally: &mut Tally) {
        tally.sessions += self.sessions;
        assert!(self.records.borrow().len() > 0);
    }
}
