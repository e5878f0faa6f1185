//! A device's request.

use std::ops::Deref;

use super::exchange::Exchange;
use crate::bindings::Message;
use crate::error_response::ErrorResponse;
use crate::fields;
use crate::message::{CONTENT_FORMAT, URI_QUERY, uint_option};
use crate::value::Value;

/// A device's request. The exchange comes with it ([`Exchange`]).
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    exchange: &'a Exchange<'a>,
    message: &'a Message,
}

impl<'a> Deref for Request<'a> {
    type Target = Exchange<'a>;

    fn deref(&self) -> &Exchange<'a> {
        self.exchange
    }
}

impl<'a> Request<'a> {
    pub(super) fn new(exchange: &'a Exchange<'a>, message: &'a Message) -> Request<'a> {
        Request { exchange, message }
    }

    pub(super) fn message(&self) -> &'a Message {
        self.message
    }

    /// The payload, which must be a map in CBOR or JSON; 4.00 names the byte if it is not.
    pub fn payload(&self) -> Result<Value, ErrorResponse> {
        fields::payload(self.message)
    }

    /// The payload, which must be a map in CBOR or JSON, or a text: in `text/plain`, or a text string of CBOR. The
    /// route must accept [`TEXT`](super::TEXT) too. Without Content-Format it is read as what it is.
    pub fn map_or_text(&self) -> Result<Value, ErrorResponse> {
        fields::map_or_text(self.message)
    }

    /// The payload's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        &self.message.payload
    }

    /// The number of the payload's Content-Format.
    pub fn content_format(&self) -> Option<u32> {
        uint_option(&self.message.options, CONTENT_FORMAT)
    }

    /// The value of the first option with this number, as on the wire.
    pub fn option(&self, number: u16) -> Option<&'a [u8]> {
        self.options(number).next()
    }

    /// The value of `name` in the Uri-Query: the rest of the first option that begins with `name=`.
    pub fn query(&self, name: &str) -> Option<&'a str> {
        self.options(URI_QUERY).find_map(|value| {
            let rest = str::from_utf8(value).ok()?.strip_prefix(name)?;
            rest.strip_prefix('=')
        })
    }

    fn options(&self, number: u16) -> impl Iterator<Item = &'a [u8]> {
        let options = self.message.options.iter();
        options
            .filter(move |option| option.number == number)
            .map(|option| option.value.as_slice())
    }
}
