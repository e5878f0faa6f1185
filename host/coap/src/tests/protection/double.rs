//! A double of OSCORE: it wraps code, options and payload into one option. And an endpoint with it.

use super::super::*;
use crate::{CannotProtect, MessageProtection, Reply};

/// OSCORE (RFC 8613 §2): critical, so an endpoint that does not unwrap it refuses the request.
pub(super) const OSCORE: u16 = 9;
/// The double's key.
pub(super) const KEY: u8 = 0x5a;
/// The first byte of a wrapped message that verification refuses.
pub(super) const FORGED: u8 = 0xff;

/// Numbers the requests that it unwraps, as OSCORE has a Partial IV; each response names its request's number.
#[derive(Default)]
pub(super) struct Wrapping {
    pub(super) unwrapped: Vec<u8>,
    pub(super) wrapped: Vec<(u8, Message)>,
    pub(super) replies: Vec<Reply>,
    /// It cannot wrap any more.
    pub(super) is_exhausted: bool,
}

/// The numbers from here on belong to another association.
pub(super) const OTHER_ASSOCIATION: u8 = 100;

pub(super) fn wrap(number: u8, message: &Message) -> Message {
    let inner = encode(&Datagram {
        message_type: MessageType::NonConfirmable,
        message_id: 0,
        token: Token::default(),
        message: message.clone(),
    });
    let hidden = inner.iter().map(|byte| byte ^ KEY);
    let value: Vec<u8> = std::iter::once(number).chain(hidden).collect();
    let outer = if code::is_request(message.code) {
        code::POST
    } else {
        code::CHANGED
    };
    Message::new(outer).with_option(OSCORE, value)
}

pub(super) fn unwrap(message: &Message) -> Option<(u8, Message)> {
    let (number, hidden) = message.option(OSCORE)?.split_first()?;
    let inner: Vec<u8> = hidden.iter().map(|byte| byte ^ KEY).collect();
    Some((*number, decode(&inner).ok()?.message))
}

impl MessageProtection<u16> for Wrapping {
    type Context = u8;

    fn unprotect(
        &mut self,
        _: Instant,
        _: &u16,
        request: &mut Message,
    ) -> Result<Option<u8>, Message> {
        if request.option(OSCORE).is_none() {
            return Ok(None);
        }
        match unwrap(request) {
            Some((number, inner)) if number != FORGED => {
                self.unwrapped.push(number);
                *request = inner;
                Ok(Some(number))
            }
            _ => {
                self.unwrapped.push(FORGED);
                Err(Message::diagnostic(code::BAD_REQUEST, "Decryption failed"))
            }
        }
    }

    fn association(&self, context: &u8) -> u64 {
        u64::from(context / OTHER_ASSOCIATION)
    }

    fn protect(
        &mut self,
        _: Instant,
        _: &u16,
        context: &u8,
        reply: Reply,
        message: &mut Message,
    ) -> Result<(), CannotProtect> {
        if self.is_exhausted {
            return Err(CannotProtect);
        }
        self.wrapped.push((*context, message.clone()));
        self.replies.push(reply);
        *message = wrap(*context, message);
        Ok(())
    }

    fn overhead(&self, _: &u8) -> usize {
        // Option header with its extensions, number, and the header of the inner message.
        1 + 2 + 2 + 1 + 4
    }
}

/// An endpoint with the double.
pub(super) struct Protected {
    pub(super) endpoint: Endpoint<u16, Wrapping>,
    pub(super) now: Instant,
}

impl Protected {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            endpoint: Endpoint::with_protection(limits, [5; 16], Wrapping::default()),
            now: Instant::now(),
        }
    }

    pub(super) fn receive(&mut self, datagram: &Datagram) {
        self.endpoint
            .handle_datagram(self.now, 1, &encode(datagram));
    }

    pub(super) fn sent(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|transmit| transmit.bytes)
            .collect()
    }

    /// The one datagram to be sent now, with the number and the message inside.
    pub(super) fn sent_one(&mut self) -> (Datagram, u8, Message) {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:02x?}");
        let datagram = decode(&sent[0]).expect("own messages are valid");
        assert_eq!(datagram.message.options.len(), 1, "{:?}", datagram.message);
        let (number, inner) = unwrap(&datagram.message).expect("a wrapped message");
        (datagram, number, inner)
    }

    pub(super) fn incoming(&mut self) -> (ExchangeId, Message) {
        let incoming = self.endpoint.poll_request().expect("a request");
        assert!(incoming.protection.is_some());
        (incoming.id, incoming.request.message)
    }

    pub(super) fn advance(&mut self, duration: Duration) {
        self.now += duration;
        self.endpoint.handle_timeout(self.now);
    }

    pub(super) fn unwrapped(&self) -> &[u8] {
        &self.endpoint.protection().unwrapped
    }

    pub(super) fn wrapped(&self) -> usize {
        self.endpoint.protection().wrapped.len()
    }
}

/// The request, wrapped; its number is its message ID.
pub(super) fn wrapped(datagram: Datagram) -> Datagram {
    Datagram {
        message: wrap(datagram.message_id as u8, &datagram.message),
        ..datagram
    }
}

pub(super) fn acknowledgement(message_id: u16) -> Datagram {
    Datagram::empty(MessageType::Acknowledgement, message_id)
}
