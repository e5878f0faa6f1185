//! A device with a pre-shared key: it opens a session, and another one after each failure.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::application::principal;
use super::records::{Records, Writer};
use super::sides::Link;
use crate::dtls::{ClientError, ClientSession, ClientStep, PskKey};

/// How long a device tries to open a session.
const HANDSHAKE: Duration = Duration::from_secs(40);
/// How long it waits after a session has failed.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn key(identity: &str) -> PskKey {
    PskKey::parse(&format!("the-key-of-{identity}")).expect("a key")
}

pub(super) struct DtlsLink {
    device: usize,
    session: Option<ClientSession>,
    is_connected: bool,
    sessions: u64,
    next_try: Instant,
    records: Rc<RefCell<Records>>,
    outbox: VecDeque<Vec<u8>>,
}

impl DtlsLink {
    pub(super) fn new(now: Instant, device: usize, records: Rc<RefCell<Records>>) -> Self {
        let mut link = Self {
            device,
            session: None,
            is_connected: false,
            sessions: 0,
            next_try: now,
            records,
            outbox: VecDeque::new(),
        };
        link.open(now);
        link
    }

    fn open(&mut self, now: Instant) {
        let identity = principal(self.device);
        let session = ClientSession::with_key(&identity, key(&identity), HANDSHAKE, now);
        self.session = Some(session.expect("a valid timeout"));
        self.is_connected = false;
        self.sessions += 1;
        self.collect(now, Ok(()));
    }

    /// Takes what the session has done; the messages.
    fn collect(&mut self, now: Instant, result: Result<(), ClientError>) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut is_over = result.is_err();
        while let Some(step) = self.session.as_mut().and_then(ClientSession::poll) {
            match step {
                ClientStep::Send(datagram) => {
                    let writer = Writer::Device(self.device, self.sessions);
                    self.records.borrow_mut().record(writer, &datagram);
                    self.outbox.push_back(datagram);
                }
                ClientStep::Connected => self.is_connected = true,
                ClientStep::Message(message) => messages.push(message),
                ClientStep::Closed | ClientStep::Untrusted(_) => is_over = true,
            }
        }
        if is_over {
            self.end(now);
        }
        messages
    }

    fn end(&mut self, now: Instant) {
        self.session = None;
        self.is_connected = false;
        self.next_try = now + PAUSE;
    }
}

impl Link for DtlsLink {
    fn is_ready(&self) -> bool {
        self.is_connected
    }

    fn session(&self) -> u64 {
        self.sessions
    }

    fn begin(&mut self) {}

    fn send(&mut self, now: Instant, plain: Vec<u8>) {
        if let Some(session) = self.session.as_mut().filter(|_| self.is_connected) {
            let result = session.send(now, &plain);
            self.collect(now, result);
        }
    }

    fn receive(&mut self, now: Instant, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Some(session) = &mut self.session else {
            return Vec::new();
        };
        let result = session.handle_datagram(now, datagram);
        self.collect(now, result)
    }

    fn next_timeout(&self) -> Option<Instant> {
        match &self.session {
            Some(session) => session.next_timeout(),
            None => Some(self.next_try),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match &mut self.session {
            Some(session) if session.next_timeout().is_some_and(|at| at <= now) => {
                let result = session.handle_timeout(now);
                self.collect(now, result);
            }
            None if self.next_try <= now => self.open(now),
            _ => {}
        }
    }

    fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    fn fail(&mut self, now: Instant) {
        self.end(now);
    }

    fn reboot(&mut self, now: Instant) {
        self.outbox.clear();
        self.open(now);
    }
}
