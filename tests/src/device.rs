//! A device's request and its response, in terms that every CoAP client of the tests understands.

use serde_json::Value;

use crate::matrix::encoded;

/// Option numbers (IANA "CoAP Option Numbers"; 256 is the gateway's own).
pub mod option {
    /// If-Match (RFC 7252 §5.10.8.1): critical, and unknown to the gateway's resources.
    pub const IF_MATCH: u16 = 1;
    /// Observe (RFC 7641 §2).
    pub const OBSERVE: u16 = 6;
    /// Uri-Path (RFC 7252 §5.10.1).
    pub const URI_PATH: u16 = 11;
    /// Content-Format (RFC 7252 §5.10.3).
    pub const CONTENT_FORMAT: u16 = 12;
    /// Max-Age (RFC 7252 §5.10.5).
    pub const MAX_AGE: u16 = 14;
    /// Accept (RFC 7252 §5.10.4).
    pub const ACCEPT: u16 = 17;
    /// Block2 (RFC 7959 §2.1).
    pub const BLOCK2: u16 = 23;
    /// Block1 (RFC 7959 §2.1).
    pub const BLOCK1: u16 = 27;
    /// Proxy-Uri (RFC 7252 §5.10.2).
    pub const PROXY_URI: u16 = 35;
    /// The access token.
    pub const ACCESS_TOKEN: u16 = 256;
    /// Request-Tag (RFC 9175 §3.2).
    pub const REQUEST_TAG: u16 = 292;
}

/// Content-Format of text (RFC 7252 §12.3).
pub const TEXT: u16 = 0;
/// Content-Format of links (RFC 6690).
pub const LINK_FORMAT: u16 = 40;
/// Content-Format of JSON.
pub const JSON: u16 = 50;
/// Content-Format of CBOR.
pub const CBOR: u16 = 60;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, `PUT` or another.
    pub method: &'static str,
    /// Uri-Path and Uri-Query as a URI spells them, from the first slash on.
    pub path: String,
    /// Options without a field here: number and value.
    pub options: Vec<(u16, Vec<u8>)>,
    /// The payload.
    pub payload: Payload,
    /// Content-Format.
    pub content_format: Option<u16>,
    /// Accept.
    pub accept: Option<u16>,
    /// Non-confirmable.
    pub non: bool,
    /// Bytes of each block of the payload, 16 to 1,024; only aiocoap does as it is told here.
    pub block: Option<u16>,
}

/// A request's payload.
#[derive(Debug, Clone, Default)]
pub enum Payload {
    /// None.
    #[default]
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// This value, encoded as CBOR by the client.
    Cbor(Value),
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Like `2.05`.
    pub code: String,
    /// Number and value, ascending.
    pub options: Vec<(u16, Vec<u8>)>,
    /// The whole body.
    pub payload: Vec<u8>,
    /// A CBOR body decoded.
    pub value: Option<Value>,
}

impl Request {
    /// A request without payload.
    pub fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a Proxy-Uri.
    pub fn proxy_uri(self, uri: &str) -> Self {
        self.option(option::PROXY_URI, uri.as_bytes())
    }

    /// Adds an access token.
    pub fn token(self, access_token: &str) -> Self {
        self.option(option::ACCESS_TOKEN, access_token.as_bytes())
    }

    /// Adds an option.
    pub fn option(mut self, number: u16, value: &[u8]) -> Self {
        self.options.push((number, value.to_vec()));
        self
    }

    /// Sets a CBOR payload and its Content-Format.
    pub fn cbor(mut self, value: Value) -> Self {
        self.payload = Payload::Cbor(value);
        self.content_format = Some(CBOR);
        self
    }

    /// Sets a payload of these bytes.
    pub fn bytes(mut self, payload: &[u8], content_format: Option<u16>) -> Self {
        self.payload = Payload::Bytes(payload.to_vec());
        self.content_format = content_format;
        self
    }

    /// Asks for a Content-Format.
    pub fn accept(mut self, content_format: u16) -> Self {
        self.accept = Some(content_format);
        self
    }

    /// Sends the payload in blocks of so many bytes.
    pub fn in_blocks(mut self, block: u16) -> Self {
        self.block = Some(block);
        self
    }

    /// Makes it non-confirmable.
    pub fn non(mut self) -> Self {
        self.non = true;
        self
    }
}

impl Response {
    /// The value of an option.
    pub fn option(&self, number: u16) -> Option<&[u8]> {
        self.options
            .iter()
            .find(|(present, _)| *present == number)
            .map(|(_, value)| value.as_slice())
    }

    /// The value of an option as an unsigned integer (RFC 7252 §3.2).
    pub fn number(&self, option: u16) -> Option<u64> {
        self.option(option).map(|value| {
            value
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        })
    }

    /// A text field of a CBOR response.
    pub fn field(&self, name: &str) -> String {
        let value = self.value.as_ref().and_then(|value| value[name].as_str());
        value
            .unwrap_or_else(|| panic!("no text {name:?} in {self:?}"))
            .to_owned()
    }

    /// The payload as text, for diagnostics.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// How a device spells a Proxy-Uri.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// MSC3079's codes: `H/9/<room>/m.room.message/<txn>`.
    Short,
    /// `H/_matrix/client/r0/…`.
    Full,
}

impl Spelling {
    /// Proxy-Uri of `/register`.
    pub fn register(self, origin: &str) -> String {
        self.pick(
            format!("{origin}/4"),
            format!("{origin}/_matrix/client/r0/register"),
        )
    }

    /// Proxy-Uri of `/login`.
    pub fn login(self, origin: &str) -> String {
        self.pick(
            format!("{origin}/1"),
            format!("{origin}/_matrix/client/r0/login"),
        )
    }

    /// Proxy-Uri of `/join`.
    pub fn join(self, origin: &str, room_id: &str) -> String {
        let room = encoded(room_id);
        self.pick(
            format!("{origin}/K/{room}"),
            format!("{origin}/_matrix/client/r0/rooms/{room}/join"),
        )
    }

    /// Proxy-Uri of `/send`.
    pub fn send(self, origin: &str, room_id: &str, txn_id: &str) -> String {
        let room = encoded(room_id);
        self.pick(
            format!("{origin}/9/{room}/m.room.message/{txn_id}"),
            format!("{origin}/_matrix/client/r0/rooms/{room}/send/m.room.message/{txn_id}"),
        )
    }

    /// Proxy-Uri of `/getmsg`.
    pub fn getmsg(self, origin: &str, room_id: &str) -> String {
        let room = encoded(room_id);
        let full = format!("{origin}/_matrix/client/r0/rooms/{room}/messages?dir=b&limit=1");
        self.pick(format!("{origin}/E/{room}"), full)
    }

    /// Proxy-Uri of `/logout`.
    pub fn logout(self, origin: &str) -> String {
        self.pick(
            format!("{origin}/3"),
            format!("{origin}/_matrix/client/r0/logout"),
        )
    }

    fn pick(self, short: String, full: String) -> String {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}
