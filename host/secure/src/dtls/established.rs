//! Sessions: records of authenticated devices, messages to them, and the end.

use std::sync::Arc;
use std::time::Instant;

use coap::PeerId;
use dimpl::SecurityError;
use share::Amount;

use super::connection::{Connection, LARGEST, Step};
use super::event::{CloseReason, Event, Message, SendError, SessionId};
use super::method::Method;
use super::record::{
    ALERT, APPLICATION_DATA, CCM_8_OVERHEAD, CHANGE_CIPHER_SPEC, GCM_OVERHEAD, HANDSHAKE, Record,
};
use super::refusal::Refusal;
use super::server::Server;
use super::slot::{Handshake, Session};

impl<P: PeerId> Server<P> {
    /// Protects a message for a device and queues the datagram.
    ///
    /// # Errors
    /// [`SendError`]: nothing is sent.
    pub fn send(
        &mut self,
        now: Instant,
        id: &SessionId<P>,
        message: &[u8],
    ) -> Result<(), SendError> {
        let longest = self.longest_message(id).ok_or(SendError::NoSession)?;
        if message.len() > longest {
            self.counters.too_long += 1;
            return Err(SendError::TooLong { longest });
        }
        let session = self.session(id).ok_or(SendError::NoSession)?;
        let result = session.connection.send(now, message);
        self.advance(now, id, result);
        self.counters.messages_out += 1;
        Ok(())
    }

    /// Bytes of the longest message that [`send`](Self::send) takes: 171 for a device with a key, by default. `None` if
    /// the session is over.
    pub fn longest_message(&self, id: &SessionId<P>) -> Option<usize> {
        let session = self.slots.get(&id.peer)?.session.as_ref();
        let method = session
            .filter(|session| session.number == id.number)?
            .connection
            .method;
        let overhead = match method {
            Method::Psk => CCM_8_OVERHEAD,
            Method::Certificate => GCM_OVERHEAD,
        };
        Some(self.limits.datagram(method) - overhead)
    }

    /// Closes a session with a close_notify. Nothing happens if it is over.
    pub fn close(&mut self, id: &SessionId<P>) {
        self.close_for(id, CloseReason::Gateway);
    }

    /// Closes all sessions of a device, and ends its handshakes: its key has changed, or it has been removed. Call it
    /// after [`Credentials`](super::Credentials) has changed.
    pub fn close_principal(&mut self, principal: &str) {
        self.end_handshakes_of(principal);
        for peer in self.principals.get(principal).cloned().unwrap_or_default() {
            if let Some(id) = self.session_at(&peer) {
                self.close(&id);
            }
        }
    }

    /// Closes all sessions: the gateway stops.
    pub fn close_all(&mut self) {
        let peers: Vec<P> = self.slots.keys().cloned().collect();
        for id in peers
            .iter()
            .filter_map(|peer| self.session_at(peer))
            .collect::<Vec<_>>()
        {
            self.close(&id);
        }
    }

    /// Passes a record to the handshake or the session that it can belong to.
    pub(super) fn record(&mut self, now: Instant, peer: &P, record: Record<'_>) {
        let slot = self.slots.get(peer);
        let expects = |connection: Option<&Connection>| {
            connection.is_some_and(|connection| connection.expects(&record))
        };
        let handshake = slot.and_then(|slot| slot.handshake.as_ref());
        let session = slot.and_then(|slot| slot.session.as_ref());
        let is_of_handshake = expects(handshake.map(|handshake| &handshake.connection));
        let is_of_session = expects(session.map(|session| &session.connection));
        match (record.epoch, record.content_type) {
            (0, HANDSHAKE | CHANGE_CIPHER_SPEC | ALERT) | (1, HANDSHAKE) if is_of_handshake => {
                self.handshake_record(now, peer, record.bytes);
            }
            // Of epoch 0 only a repeated flight, to which the library repeats its own: all else is not authenticated.
            (0 | 1, HANDSHAKE) | (1, ALERT | APPLICATION_DATA) if is_of_session => {
                self.session_record(now, peer, record.bytes);
            }
            _ => self.counters.unexpected += 1,
        }
    }

    fn session_record(&mut self, now: Instant, peer: &P, record: &[u8]) {
        let Some(id) = self.session_at(peer) else {
            return;
        };
        if let Some(session) = self.session(&id) {
            let result = session.connection.receive(now, record);
            self.advance(now, &id, result);
        }
    }

    /// Passes on what the library has done.
    fn advance(&mut self, now: Instant, id: &SessionId<P>, result: Result<(), dimpl::Error>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut steps = Vec::new();
        if let Some(session) = self.session(id) {
            session
                .connection
                .poll(&mut buffer, |step| steps.push(step));
        }
        self.buffer = buffer;
        for step in steps {
            match step {
                Step::Send(bytes) => self.transmit(&id.peer, bytes),
                Step::Message(bytes) => self.message(now, id, bytes),
                Step::Closed => drop(self.end(id, CloseReason::Device)),
                Step::Connected | Step::Certificate(_) => self.counters.unexpected += 1,
            }
        }
        match result {
            Ok(()) => {}
            Err(dimpl::Error::SecurityError(SecurityError::FatalAlert { description })) => {
                self.end(id, CloseReason::Alert(description));
            }
            Err(_) => drop(self.end(id, CloseReason::Protocol)),
        }
    }

    fn message(&mut self, now: Instant, id: &SessionId<P>, bytes: Vec<u8>) {
        let Some(session) = self.session(id) else {
            return;
        };
        session.used = now;
        let principal = session.principal.clone();
        self.counters.messages_in += 1;
        self.messages.push_back(Message {
            session: id.clone(),
            principal,
            bytes,
        });
    }

    /// Makes a session of a complete handshake.
    pub(super) fn open(
        &mut self,
        now: Instant,
        peer: &P,
        handshake: Box<Handshake>,
        principal: Arc<str>,
    ) {
        if let Some(former) = self.session_at(peer) {
            self.end(&former, CloseReason::Replaced);
        }
        let held = self.principals.get(&principal).map_or(0, Vec::len);
        if held >= self.limits.sessions_per_principal.max(1) {
            self.close_longest_unused(&principal);
        }
        let owner = self.owner(peer, true);
        let Handshake {
            mut connection,
            number,
            ..
        } = *handshake;
        if let Err(refused) = self.sessions.take(owner, Amount::piece(0)) {
            connection.close();
            let mut buffer = vec![0; LARGEST];
            connection.poll(&mut buffer, |step| {
                if let Step::Send(bytes) = step {
                    self.transmit(peer, bytes);
                }
            });
            self.tidy(peer);
            return self.refuse(peer, Refusal::Sessions(refused));
        }
        let timer = now + self.limits.session_idle();
        let method = connection.method;
        let session = Session {
            connection,
            number,
            owner,
            principal: principal.clone(),
            used: now,
            timer,
        };
        self.slots.entry(peer.clone()).or_default().session = Some(Box::new(session));
        self.principals
            .entry(principal.clone())
            .or_default()
            .push(peer.clone());
        self.timers.insert((timer, number), peer.clone());
        self.counters.opened += 1;
        let session = SessionId {
            peer: peer.clone(),
            number,
        };
        self.events.push_back(Event::Opened {
            session,
            principal,
            method,
        });
    }

    pub(super) fn session_due(&mut self, now: Instant, peer: &P, number: u64) {
        let id = SessionId {
            peer: peer.clone(),
            number,
        };
        let idle = self.limits.session_idle();
        let Some(session) = self.session(&id) else {
            return;
        };
        session.timer = session.used + idle;
        let timer = session.timer;
        if timer > now {
            self.timers.insert((timer, number), peer.clone());
        } else {
            self.close_for(&id, CloseReason::Idle);
        }
    }

    fn close_longest_unused(&mut self, principal: &Arc<str>) {
        let peers = self.principals.get(principal).into_iter().flatten();
        let sessions =
            peers.filter_map(|peer| Some((peer, self.slots.get(peer)?.session.as_ref()?)));
        let longest = sessions.min_by_key(|(_, session)| session.used);
        let id = longest.map(|(peer, session)| SessionId {
            peer: peer.clone(),
            number: session.number,
        });
        if let Some(id) = id {
            self.close_for(&id, CloseReason::TooMany);
        }
    }

    fn close_for(&mut self, id: &SessionId<P>, reason: CloseReason) {
        if let Some(mut session) = self.end(id, reason) {
            let mut buffer = vec![0; LARGEST];
            session.connection.close();
            session.connection.poll(&mut buffer, |step| {
                if let Step::Send(bytes) = step {
                    self.transmit(&id.peer, bytes);
                }
            });
        }
    }

    /// Takes the session out, with its timer and its share.
    fn end(&mut self, id: &SessionId<P>, reason: CloseReason) -> Option<Box<Session>> {
        let slot = self.slots.get_mut(&id.peer)?;
        let session = slot
            .session
            .take_if(|session| session.number == id.number)?;
        self.timers.remove(&(session.timer, session.number));
        self.sessions.give_back(session.owner, Amount::piece(0));
        if let Some(peers) = self.principals.get_mut(&session.principal) {
            peers.retain(|peer| *peer != id.peer);
            if peers.is_empty() {
                self.principals.remove(&session.principal);
            }
        }
        self.tidy(&id.peer);
        self.counters.closed += 1;
        self.events.push_back(Event::Closed {
            session: id.clone(),
            principal: session.principal.clone(),
            reason,
        });
        Some(session)
    }

    fn session(&mut self, id: &SessionId<P>) -> Option<&mut Session> {
        let session = self.slots.get_mut(&id.peer)?.session.as_deref_mut()?;
        (session.number == id.number).then_some(session)
    }

    fn session_at(&self, peer: &P) -> Option<SessionId<P>> {
        let session = self.slots.get(peer)?.session.as_ref()?;
        Some(SessionId {
            peer: peer.clone(),
            number: session.number,
        })
    }
}
