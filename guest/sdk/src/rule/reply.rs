//! Responses of class 2.

use crate::bindings::{self, Effect, Message, SessionChange, Watch};
use crate::code;
use crate::message::response;
use crate::payload::{Format, TEXT_PLAIN};
use crate::value::Value;

/// A response of class 2 to the device.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    code: u8,
    max_age: Option<u32>,
    session: Option<SessionChange>,
    watch: Option<Watch>,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Empty,
    /// In the format that the device accepts.
    Value(Value),
    Bytes(u16, Vec<u8>),
}

impl Reply {
    /// 2.05 with this value, in CBOR, or in JSON where Accept asks for it.
    pub fn content(value: Value) -> Reply {
        Reply::new(code::CONTENT, Body::Value(value))
    }

    /// 2.04 with this value, in CBOR, or in JSON where Accept asks for it.
    pub fn changed(value: Value) -> Reply {
        Reply::new(code::CHANGED, Body::Value(value))
    }

    /// 2.05 with text.
    pub fn text(text: impl Into<String>) -> Reply {
        Reply::bytes(TEXT_PLAIN, text.into().into_bytes())
    }

    /// 2.05 with a payload of any Content-Format.
    pub fn bytes(content_format: u16, bytes: Vec<u8>) -> Reply {
        Reply::new(code::CONTENT, Body::Bytes(content_format, bytes))
    }

    /// A code and no payload.
    pub fn empty(code: u8) -> Reply {
        Reply::new(code, Body::Empty)
    }

    fn new(code: u8, body: Body) -> Reply {
        Reply {
            code,
            max_age: None,
            session: None,
            watch: None,
            body,
        }
    }

    /// The same with another code, such as 2.01.
    pub fn code(self, code: u8) -> Reply {
        Reply { code, ..self }
    }

    /// Seconds that a cache may use the response (RFC 7252 §5.10.5); without it 60.
    pub fn max_age(self, seconds: u32) -> Reply {
        Reply {
            max_age: Some(seconds),
            ..self
        }
    }

    /// Remembers this access token for the device: only on a secured transport, and only if the operator grants it.
    pub fn open_session(self, token: impl Into<String>) -> Reply {
        Reply {
            session: Some(SessionChange::Open(token.into())),
            ..self
        }
    }

    /// Forgets the device's access token, and ends the observations of the account whose token the request carried.
    pub fn close_session(self) -> Reply {
        Reply {
            session: Some(SessionChange::Close),
            ..self
        }
    }

    /// Begins an observation.
    pub(super) fn watch(self, watch: Watch) -> Reply {
        Reply {
            watch: Some(watch),
            ..self
        }
    }

    pub(super) fn effect(mut self, format: Format) -> Effect {
        let (session, watch) = (self.session.take(), self.watch.take());
        Effect::Reply(bindings::Reply {
            message: self.message(format),
            session,
            watch,
        })
    }

    /// The response alone.
    pub(super) fn message(self, format: Format) -> Message {
        let (content_format, payload) = match self.body {
            Body::Empty => (None, Vec::new()),
            Body::Value(value) => (Some(format.number()), format.encode(&value)),
            Body::Bytes(content_format, bytes) => (Some(content_format), bytes),
        };
        response(self.code, content_format, self.max_age, payload)
    }
}
