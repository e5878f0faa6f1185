//! The way to a gateway through a session of DTLS or a security context: messages go in and come out. I/O.

use std::collections::HashMap;
use std::time::Instant;

use coap::{Token, code, decode, encode};
use secure::oscore::SentRequest;

use super::path::Path;
use crate::local_port::{LocalPort, MAX_DATAGRAM};
use crate::oscore_file::OscoreFile;
use crate::protection::Protection;
use crate::security::Security;
use crate::traffic::Traffic;

/// A request with OSCORE. The probe has at most 300 of them.
struct Sent {
    plain: Vec<u8>,
    protected: Vec<u8>,
    request: SentRequest,
}

/// A port whose handshake is done.
pub struct SecuredPath<'a> {
    port: LocalPort,
    security: &'a mut Security,
    /// With OSCORE, by token: responses come in any order.
    sent: HashMap<Token, Sent>,
    buffer: Vec<u8>,
    traffic: Traffic,
    overhead: usize,
}

impl<'a> SecuredPath<'a> {
    /// The way of a client that has made an exchange.
    pub fn new(port: LocalPort, security: &'a mut Security) -> Self {
        Self {
            port,
            security,
            sent: HashMap::new(),
            buffer: vec![0; MAX_DATAGRAM],
            traffic: Traffic::default(),
            overhead: 0,
        }
    }

    /// What leaves for a message; none if it cannot.
    fn protected(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let Some(file) = self.security.context() else {
            let session = self.port.session.as_mut()?;
            let mut protection = Protection::Session(session);
            let address = self.port.wire.address();
            let passed = protection.outgoing(address, Instant::now(), message.to_vec());
            return passed.ok()?.sends.pop();
        };
        let mut datagram = decode(message).ok()?;
        if !code::is_request(datagram.message.code) {
            return Some(message.to_vec());
        }
        let token = datagram.token;
        // A retransmission is the same bytes again.
        if let Some(sent) = self.sent.get(&token).filter(|sent| sent.plain == message) {
            return Some(sent.protected.clone());
        }
        file.reserve().ok()?;
        let request = file.context.protect_request(&mut datagram.message).ok()?;
        let protected = encode(&datagram);
        let sent = Sent {
            plain: message.to_vec(),
            protected: protected.clone(),
            request,
        };
        self.sent.insert(token, sent);
        Some(protected)
    }
}

/// A message out of a datagram with OSCORE; none if it is a response that is not authentic.
fn unprotected(
    file: &OscoreFile,
    sent: &mut HashMap<Token, Sent>,
    received: Vec<u8>,
) -> Option<Vec<u8>> {
    let mut datagram = decode(&received).ok()?;
    if !code::is_response(datagram.message.code) {
        return Some(received);
    }
    let request = &mut sent.get_mut(&datagram.token)?.request;
    let message = &mut datagram.message;
    file.context.unprotect_response(request, message).ok()?;
    Some(encode(&datagram))
}

impl Path for SecuredPath<'_> {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn send(&mut self, datagram: &[u8]) -> bool {
        let Some(protected) = self.protected(datagram) else {
            return false;
        };
        let more = protected.len().saturating_sub(datagram.len());
        self.overhead = self.overhead.max(more);
        self.port.wire.send(&[protected], &mut self.traffic).is_ok()
    }

    fn receive(&mut self, until: Instant) -> Option<Vec<u8>> {
        while Instant::now() < until {
            let mut protection = match &mut self.port.session {
                Some(session) => Protection::Session(session),
                None => Protection::Plain,
            };
            let wire = &self.port.wire;
            let passed = wire.next(&mut protection, until, &mut self.buffer, &mut self.traffic);
            // An ICMP error counts as a loss, as without protection.
            let message = passed.ok().and_then(|mut passed| passed.messages.pop());
            let message = message.and_then(|message| match self.security.context() {
                Some(file) => unprotected(file, &mut self.sent, message),
                None => Some(message),
            });
            if message.is_some() {
                return message;
            }
        }
        None
    }

    fn overhead(&self) -> usize {
        self.overhead
    }
}
