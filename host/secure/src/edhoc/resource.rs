//! The resource `/.well-known/edhoc` (RFC 9528 Appendix A.2): its requests and responses.

use std::time::Instant;

use coap::option::{ACCEPT, CONTENT_FORMAT, content_format};
use coap::{Message, code};

use super::message_1::connection_identifier;
use super::protection::Protection;
use super::refusal::{Refusal, Refused};
use super::responder::{Begun, From};
use crate::cbor_reader::Reader;

/// The segments of its path.
pub const PATH: [&str; 2] = [".well-known", "edhoc"];
/// `true`, in place of a connection identifier: what follows is message_1.
const TRUE: u8 = 0xf5;

/// What becomes of a request.
#[derive(Debug)]
pub enum Handled {
    /// The response, and why the request was refused if it was.
    Response(Message, Option<Refusal>),
    /// Its sender has to prove its address; then it can be handled again.
    NeedsProof,
}

impl Protection {
    /// Handles a whole request to the resource. None if there is no resource: the gateway has no key pair, because no
    /// device needs one.
    pub fn handle(&mut self, now: Instant, from: &From, request: &Message) -> Option<Handled> {
        self.identity.as_ref()?;
        if let Some(refused) = not_acceptable(request) {
            return Some(Handled::Response(Message::new(refused), None));
        }
        let handled = match request.payload.split_first() {
            Some((&TRUE, message_1)) => self.begin(now, from, message_1),
            _ => self.finish(now, from, &request.payload).into(),
        };
        Some(handled)
    }

    fn begin(&mut self, now: Instant, from: &From, message_1: &[u8]) -> Handled {
        let Some(identity) = &self.identity else {
            return Err(Refusal::NoContext).into();
        };
        let contexts = &self.contexts;
        let is_taken = |kid| contexts.principal(kid).is_some();
        match self
            .responder
            .begin(now, from, identity, message_1, is_taken)
        {
            Begun::Message2(message_2) => Ok(message_2).into(),
            Begun::NeedsProof => Handled::NeedsProof,
            Begun::Refused(refusal) => Err(refusal).into(),
        }
    }

    fn finish(&mut self, now: Instant, from: &From, payload: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut reader = Reader::new(payload);
        let c_r = connection_identifier(&mut reader).ok_or(Refusal::Malformed)?;
        self.agree(now, from.host, c_r, reader.rest())
    }
}

impl std::convert::From<Result<Vec<u8>, Refusal>> for Handled {
    fn from(result: Result<Vec<u8>, Refusal>) -> Self {
        match result {
            Ok(payload) => {
                let response = Message::new(code::CHANGED)
                    .with_uint_option(CONTENT_FORMAT, content_format::EDHOC.into())
                    .with_payload(payload);
                Self::Response(response, None)
            }
            Err(refusal) => Self::Response(Refused::from(refusal).response, Some(refusal)),
        }
    }
}

/// The code of the response to a request that is none for the resource. aiocoap sends no Content-Format.
fn not_acceptable(request: &Message) -> Option<u8> {
    let differs = |number, format: u16| {
        request
            .uint_option(number)
            .is_some_and(|wanted| wanted != u32::from(format))
    };
    if request.code != code::POST {
        Some(code::METHOD_NOT_ALLOWED)
    } else if differs(CONTENT_FORMAT, content_format::CID_EDHOC) {
        Some(code::UNSUPPORTED_CONTENT_FORMAT)
    } else if differs(ACCEPT, content_format::EDHOC) {
        Some(code::NOT_ACCEPTABLE)
    } else {
        None
    }
}
