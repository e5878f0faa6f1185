//! Datagrams of devices that are not authenticated: the front, and handshakes.

use std::time::{Duration, Instant};

use coap::PeerId;
use share::Amount;

use super::client_hello::{self, ClientHello, HelloError};
use super::connection::{Connection, LARGEST, Step};
use super::failure;
use super::front::{self, Verdict};
use super::limits::Limits;
use super::method::Method;
use super::pending::Place;
use super::record::{self, Alert};
use super::recorder::Claim;
use super::refusal::Refusal;
use super::server::Server;
use super::slot::{Handshake, Slot};

/// The least time between two calls of the library for a repetition. It repeats after seconds.
const TICK: Duration = Duration::from_millis(10);

impl<P: PeerId> Server<P> {
    /// Takes a datagram that came from `peer`.
    pub fn handle_datagram(&mut self, now: Instant, peer: P, datagram: &[u8]) {
        self.counters.datagrams += 1;
        let first = record::first(datagram).filter(|_| datagram.len() <= LARGEST);
        match first {
            None => self.counters.malformed += 1,
            Some(first) if client_hello::is_client_hello(&first) => {
                self.hello(now, &peer, datagram)
            }
            Some(_) => {
                for record in record::records(datagram) {
                    self.record(now, &peer, record);
                }
            }
        }
    }

    fn hello(&mut self, now: Instant, peer: &P, datagram: &[u8]) {
        if self.is_repeated(peer, datagram) {
            // The library repeats its flight, if the device cannot have it yet.
            return self.handshake_record(now, peer, datagram);
        }
        match front::judge(now, &self.cookies, self.offered, peer, datagram) {
            Verdict::Verify { reply, is_forged } => {
                self.counters.verify_requests += 1;
                self.counters.invalid_cookies += u64::from(is_forged);
                self.transmit(peer, reply);
            }
            Verdict::Refuse(alert, sequence, refusal) => {
                self.transmit(peer, record::alert(sequence, alert));
                self.refuse(peer, refusal);
            }
            Verdict::Proceed(hello, method) => self.begin(now, peer, method, &hello, datagram),
            Verdict::Drop(HelloError::Fragmented) => self.counters.fragmented_hellos += 1,
            Verdict::Drop(HelloError::Malformed) => self.counters.malformed += 1,
        }
    }

    /// Whether it is the ClientHello of a handshake that runs, or of the session: not of a device that has restarted.
    fn is_repeated(&self, peer: &P, datagram: &[u8]) -> bool {
        let Some(slot) = self.slots.get(peer) else {
            return false;
        };
        let handshake = slot
            .handshake
            .as_ref()
            .map(|handshake| &handshake.connection);
        let session = slot.session.as_ref().map(|session| &session.connection);
        ClientHello::parse(datagram).is_ok_and(|hello| {
            let is_its = |connection: &Connection| connection.random == hello.random;
            !hello.cookie.is_empty() && [handshake, session].into_iter().flatten().any(is_its)
        })
    }

    fn begin(
        &mut self,
        now: Instant,
        peer: &P,
        method: Method,
        hello: &ClientHello<'_>,
        datagram: &[u8],
    ) {
        let has_session = self
            .slots
            .get(peer)
            .is_some_and(|slot| slot.session.is_some());
        let session = self
            .sessions
            .admit(self.owner(peer, true), Amount::piece(0));
        if let (Err(refused), false) = (session, has_session) {
            self.transmit(peer, record::alert(hello.sequence, Alert::InternalError));
            return self.refuse(peer, Refusal::Sessions(refused));
        }
        // The device has begun again.
        self.end_handshake(peer);
        let owner = self.owner(peer, false);
        let place = match self.handshakes.place(owner) {
            Ok(place) => place,
            Err(full) => return self.refuse(peer, Refusal::PendingHandshakes(full)),
        };
        let Some(dtls) = self.fresh(now, method) else {
            return;
        };
        self.counters.handshakes += 1;
        let connection = match Connection::accept(now, dtls, method, hello, datagram) {
            Ok(connection) => connection,
            Err(error) => {
                self.transmit(peer, record::alert(hello.sequence, Alert::HandshakeFailure));
                let cause = error.to_string();
                return self.refuse(peer, Refusal::Protocol { method, cause });
            }
        };
        if let Place::Of(other, full) = place {
            // With an alert: the device begins again, and need not wait for its timeout.
            let refusal = Refusal::PendingHandshakes(full);
            self.fail(&other, Some(Alert::InternalError), refusal);
        }
        let number = self.next_number();
        self.handshakes.add(number, peer.clone(), owner);
        let handshake = Box::new(Handshake {
            connection,
            number,
            received: datagram.len(),
            timer: None,
            claim: None,
            certified: None,
        });
        self.slots.entry(peer.clone()).or_default().handshake = Some(handshake);
        self.drive(now, peer, Ok(()));
    }

    /// Takes a record of a handshake that runs.
    pub(super) fn handshake_record(&mut self, now: Instant, peer: &P, record: &[u8]) {
        let Some(handshake) = self.handshake(peer) else {
            self.counters.unexpected += 1;
            return;
        };
        handshake.received += record.len();
        let limit = Limits::handshake_bytes(handshake.connection.method);
        if handshake.received > limit {
            return self.fail(
                peer,
                Some(Alert::HandshakeFailure),
                Refusal::TooManyBytes { limit },
            );
        }
        let result = handshake.connection.receive(now, record);
        self.drive(now, peer, result);
    }

    pub(super) fn handshake_due(&mut self, now: Instant, peer: &P, number: u64) {
        let Some(handshake) = self
            .handshake(peer)
            .filter(|handshake| handshake.number == number)
        else {
            return;
        };
        handshake.timer = None;
        let result = handshake.connection.handle_timeout(now);
        self.drive(now, peer, result);
    }

    /// Passes on what the library has done.
    fn drive(&mut self, now: Instant, peer: &P, result: Result<(), dimpl::Error>) {
        let claim = self.recorder.take();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut steps = Vec::new();
        let due = self.handshake(peer).and_then(|handshake| {
            handshake.claim = claim.or(handshake.claim.take());
            handshake
                .connection
                .poll(&mut buffer, |step| steps.push(step))
        });
        self.buffer = buffer;
        // Never in the past, whatever the library says: `handle_timeout` of the server goes on until nothing is due.
        self.set_timer(peer, due.map(|at| at.max(now + TICK)));
        for step in steps {
            match step {
                Step::Send(bytes) => self.transmit(peer, bytes),
                Step::Certificate(certificate) => {
                    if let Err(refusal) = self.certified(peer, &certificate) {
                        return self.fail(peer, Some(Alert::BadCertificate), refusal);
                    }
                }
                Step::Connected => self.connected(now, peer),
                Step::Message(_) | Step::Closed => self.counters.unexpected += 1,
            }
        }
        if let Err(error) = result {
            self.failed(peer, &error);
        }
    }

    fn certified(&mut self, peer: &P, certificate: &[u8]) -> Result<(), Refusal> {
        let principal = self.credentials.certificate(certificate)?;
        if let Some(handshake) = self.handshake(peer) {
            handshake.certified = Some(principal);
        }
        Ok(())
    }

    fn connected(&mut self, now: Instant, peer: &P) {
        let Some(handshake) = self.end_handshake(peer) else {
            return;
        };
        let principal = match (handshake.connection.method, &handshake.claim) {
            (Method::Psk, Some(Claim::Device(principal))) => Some(principal.clone()),
            (Method::Certificate, _) => handshake.certified.clone(),
            _ => None,
        };
        match principal {
            Some(principal) => self.open(now, peer, handshake, principal),
            // The library completes no handshake without asking for a key or showing a certificate.
            None => self.refuse(
                peer,
                Refusal::Protocol {
                    method: handshake.connection.method,
                    cause: "no principal".to_owned(),
                },
            ),
        }
    }

    /// Ends a handshake that the library has given up.
    fn failed(&mut self, peer: &P, error: &dimpl::Error) {
        if let Some(handshake) = self.handshake(peer) {
            let (method, claim) = (handshake.connection.method, handshake.claim.clone());
            let (alert, refusal) = failure::of(error, method, claim);
            self.fail(peer, alert, refusal);
        }
    }

    fn fail(&mut self, peer: &P, alert: Option<Alert>, refusal: Refusal) {
        if let Some(mut handshake) = self.end_handshake(peer) {
            if let Some(alert) = alert {
                self.transmit(peer, handshake.connection.alert(alert));
            }
            self.refuse(peer, refusal);
        }
        self.tidy(peer);
    }

    /// Takes the handshake out, with its timer and its share.
    pub(super) fn end_handshake(&mut self, peer: &P) -> Option<Box<Handshake>> {
        let handshake = self.slots.get_mut(peer)?.handshake.take()?;
        if let Some(at) = handshake.timer {
            self.timers.remove(&(at, handshake.number));
        }
        self.handshakes.remove(handshake.number);
        Some(handshake)
    }

    fn set_timer(&mut self, peer: &P, due: Option<Instant>) {
        let Some(handshake) = self
            .slots
            .get_mut(peer)
            .and_then(|slot: &mut Slot| slot.handshake.as_mut())
        else {
            return;
        };
        if handshake.timer == due {
            return;
        }
        if let Some(at) = std::mem::replace(&mut handshake.timer, due) {
            self.timers.remove(&(at, handshake.number));
        }
        if let Some(at) = due {
            self.timers.insert((at, handshake.number), peer.clone());
        }
    }

    fn handshake(&mut self, peer: &P) -> Option<&mut Handshake> {
        self.slots.get_mut(peer)?.handshake.as_deref_mut()
    }
}
