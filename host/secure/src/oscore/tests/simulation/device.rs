//! The device: requests with a number each, and a store of its own.

use std::collections::HashMap;

use coap::option::{ECHO, OBSERVE, URI_PATH, URI_QUERY};
use coap::{Datagram, Message, MessageType, Token, code};

use super::super::*;

pub(super) struct Device {
    parameters: Parameters,
    context: Context,
    stored_end: u64,
    sent: HashMap<Token, SentRequest>,
    /// Of the last challenge.
    echo: Option<Vec<u8>>,
    next: u64,
    message_id: u16,
    pub(super) challenges: usize,
}

impl Device {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let parameters = mirrored(parameters);
        let mut device = Self {
            context: Context::new(&parameters, 0).expect("valid parameters"),
            parameters,
            stored_end: 0,
            sent: HashMap::new(),
            echo: None,
            next: 0,
            message_id: 0,
            challenges: 0,
        };
        device.store();
        device
    }

    fn store(&mut self) {
        if let Some(end) = self.context.poll_reservation() {
            self.stored_end = end;
            self.context.reserved(end);
        }
    }

    /// It agrees on another context with the gateway.
    pub(super) fn agree(&mut self, parameters: &Parameters) {
        self.parameters = mirrored(parameters);
        self.stored_end = 0;
        self.restart();
    }

    /// The power fails and comes back.
    pub(super) fn restart(&mut self) {
        self.context = Context::new(&self.parameters, self.stored_end).expect("valid parameters");
        self.sent.clear();
        self.echo = None;
        self.store();
    }

    /// The next request. Its number is in its query and its token.
    pub(super) fn request(&mut self, observes: bool) -> Datagram {
        self.store();
        let number = self.next;
        self.next += 1;
        self.message_id += 1;
        let mut message = Message::new(code::GET)
            .with_option(URI_PATH, "time")
            .with_option(URI_QUERY, number.to_string());
        if observes {
            message.push_option(OBSERVE, []);
        }
        if let Some(echo) = &self.echo {
            message.push_option(ECHO, echo.clone());
        }
        let sent = self.context.protect_request(&mut message);
        let token = Token::new(&number.to_be_bytes()).expect("8 bytes");
        self.sent.insert(token, sent.expect("a number"));
        Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token,
            message,
        }
    }

    /// Takes a datagram; the acknowledgement of a confirmable one.
    pub(super) fn take(&mut self, datagram: &Datagram) -> Option<Datagram> {
        if let Some(sent) = self.sent.get_mut(&datagram.token) {
            let mut message = datagram.message.clone();
            let verified = self.context.unprotect_response(sent, &mut message);
            let is_protected = datagram.message.option(coap::option::OSCORE).is_some();
            // Else it is late or a retransmission, or an error without protection, never another device's.
            assert_ne!(
                (verified, is_protected),
                (Err(ResponseError::NotAuthentic), true)
            );
            if verified.is_ok() && message.code == code::UNAUTHORIZED {
                self.challenges += 1;
                self.echo = message.option(ECHO).map(<[u8]>::to_vec);
            }
        }
        (datagram.message_type == MessageType::Confirmable)
            .then(|| Datagram::empty(MessageType::Acknowledgement, datagram.message_id))
    }
}
