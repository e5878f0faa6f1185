//! The sessions of `coaps` (RFC 7252 §9), with the devices that they belong to.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use coap::Transmit;
use secure::dtls::{
    Authorities, Counters, Event, Limits, Method, Refusal, SendError, Server, SessionId, Settings,
    SetupError,
};
use transport::{SessionRef, UdpPeer};

use crate::coaps_certificates::CoapsCertificates;
use crate::devices::KeyRing;

/// Blocks for devices with keys: 64 bytes, and 107 for the header and the options of the message.
const PSK_BLOCK: u8 = 2;

/// The sessions at one socket.
pub(crate) struct Coaps {
    server: Server<UdpPeer>,
    /// The socket.
    listener: u8,
    /// By their numbers.
    sessions: HashMap<u64, Session>,
    keys: Arc<KeyRing>,
    authorities: Authorities,
}

struct Session {
    device: Arc<str>,
    method: Method,
    largest_block: u8,
}

/// What a datagram or the time has led to.
#[derive(Default)]
pub(crate) struct Arrived {
    /// Decrypted messages, and the peers that they are of.
    pub(crate) messages: Vec<(UdpPeer, Vec<u8>)>,
    /// Peers whose sessions have ended.
    pub(crate) ended: Vec<UdpPeer>,
    /// Handshakes that were refused.
    pub(crate) refused: Vec<(UdpPeer, Refusal)>,
}

impl Coaps {
    /// No sessions yet, for datagrams of this listener.
    ///
    /// # Errors
    /// [`SetupError`].
    pub(crate) fn new(
        listener: u8,
        keys: Arc<KeyRing>,
        certificates: Option<&CoapsCertificates>,
        now: Instant,
    ) -> Result<Self, SetupError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
        let settings = Settings {
            limits: Limits::default(),
            psk: true,
            certificate: None,
            seed,
        };
        let mut coaps = Self {
            server: Server::new(settings, keys.clone(), now)?,
            listener,
            sessions: HashMap::new(),
            keys,
            authorities: Authorities::default(),
        };
        coaps.set_certificates(certificates)?;
        Ok(coaps)
    }

    /// Serves devices with certificates from now on, or no longer. Sessions go on, except of devices whose authority is
    /// not among the new ones: they shake hands again if another one has signed their certificates too.
    ///
    /// # Errors
    /// [`SetupError`].
    pub(crate) fn set_certificates(
        &mut self,
        certificates: Option<&CoapsCertificates>,
    ) -> Result<(), SetupError> {
        let own = certificates.map(|certificates| certificates.own.clone());
        self.server.set_certificate(own)?;
        let authorities = certificates.map(|certificates| certificates.authorities.clone());
        self.keys.set_authorities(authorities.clone());
        let authorities = authorities.unwrap_or_default();
        let former = std::mem::replace(&mut self.authorities, authorities);
        if !former.are_within(&self.authorities) {
            self.server.end_certificate_handshakes();
            let sessions = self.sessions.values();
            let void = sessions.filter(|session| {
                session.method == Method::Certificate && !self.keys.is_pinned(&session.device)
            });
            for device in void
                .map(|session| session.device.clone())
                .collect::<Vec<_>>()
            {
                self.server.close_principal(&device);
            }
        }
        Ok(())
    }

    /// Whether datagrams of this socket are for [`receive`](Self::receive).
    pub(crate) fn listens_at(&self, listener: u8) -> bool {
        self.listener == listener
    }

    /// Takes a datagram.
    pub(crate) fn receive(&mut self, now: Instant, peer: UdpPeer, datagram: &[u8]) -> Arrived {
        self.server.handle_datagram(now, peer, datagram);
        self.arrived()
    }

    /// What the calls since the last one have led to.
    pub(crate) fn arrived(&mut self) -> Arrived {
        let mut arrived = Arrived::default();
        let mut over = Vec::new();
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Opened {
                    session,
                    principal,
                    method,
                } => {
                    let largest_block = match method {
                        Method::Psk => PSK_BLOCK,
                        Method::Certificate => coap::block::MAX_SIZE_EXPONENT,
                    };
                    tracing::debug!(
                        "{}: {principal} opened a session by {method}",
                        session.peer.remote
                    );
                    let device = principal;
                    let opened = Session {
                        device,
                        method,
                        largest_block,
                    };
                    self.sessions.insert(session.number, opened);
                }
                Event::Closed {
                    session,
                    principal,
                    reason,
                } => {
                    tracing::debug!("{}: session of {principal} {reason}", session.peer.remote);
                    over.push(session);
                }
                Event::Refused { peer, refusal } => arrived.refused.push((peer, refusal)),
            }
        }
        while let Some(message) = self.server.poll_message() {
            if let Some(peer) = self.peer(&message.session) {
                arrived.messages.push((peer, message.bytes));
            }
        }
        arrived.ended = over
            .iter()
            .filter_map(|session| self.peer(session))
            .collect();
        arrived
    }

    /// Forgets a session that has ended, once its messages are processed.
    pub(crate) fn forget(&mut self, peer: &UdpPeer) {
        if let Some(session) = peer.session {
            self.sessions.remove(&session.number.get());
        }
    }

    /// The device of a session.
    pub(crate) fn device(&self, session: SessionRef) -> Option<&Arc<str>> {
        let session = self.sessions.get(&session.number.get());
        session.map(|session| &session.device)
    }

    /// Protects a message. One for a session that has ended is lost, as in the network.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        message: &Transmit<UdpPeer>,
    ) -> Result<(), SendError> {
        let session = message.peer.session.ok_or(SendError::NoSession)?;
        let id = SessionId {
            peer: UdpPeer {
                session: None,
                ..message.peer
            },
            number: session.number.get(),
        };
        self.server.send(now, &id, &message.bytes)
    }

    /// The next datagram for the socket.
    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit<UdpPeer>> {
        self.server.poll_transmit()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.server.next_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
    }

    /// Closes the sessions of a device whose key is void.
    pub(crate) fn close_device(&mut self, name: &str) {
        self.server.close_principal(name);
    }

    /// Open sessions, and counters.
    pub(crate) fn state(&self) -> (usize, Counters) {
        let counters = self.server.counters().clone();
        (self.server.session_count(), counters)
    }

    /// Closes all sessions: the gateway stops.
    pub(crate) fn close_all(&mut self) {
        self.server.close_all();
    }

    fn peer(&self, id: &SessionId<UdpPeer>) -> Option<UdpPeer> {
        let session = self.sessions.get(&id.number)?;
        Some(UdpPeer {
            session: Some(SessionRef {
                number: NonZeroU64::new(id.number)?,
                largest_block: session.largest_block,
            }),
            ..id.peer
        })
    }
}
