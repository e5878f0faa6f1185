//! The requests of a device, each to another kind of resource, and the responses of the caller.

use crate::code::{CHANGED, CONTENT, CREATED, GET, NOT_FOUND, POST, PUT};
use crate::option::{CONTENT_FORMAT, ETAG, MAX_AGE, URI_PATH, content_format};
use crate::{Message, code};

/// A resource as the gateway of this project has it, by the shape of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Time,
    Discover,
    Read,
    Send,
    Join,
    LogIn,
    Missing,
    /// A message of several blocks.
    Upload,
}

pub(super) const ERRANDS: [Errand; 8] = [
    Errand::Time,
    Errand::Discover,
    Errand::Read,
    Errand::Send,
    Errand::Join,
    Errand::LogIn,
    Errand::Missing,
    Errand::Upload,
];

/// Bytes of an upload: several blocks of each size but 1,024.
const UPLOADED: usize = 300;

impl Errand {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Discover => ".well-known",
            Self::Read => "getmsg",
            Self::Send => "send",
            Self::Join => "join",
            Self::LogIn => "login",
            Self::Missing => "missing",
            Self::Upload => "upload",
        }
    }

    fn method(self) -> u8 {
        match self {
            Self::Time | Self::Discover | Self::Read | Self::Missing => GET,
            Self::Join | Self::LogIn => POST,
            Self::Send | Self::Upload => PUT,
        }
    }

    /// The request with its number, which no other one of the device has, also after a restart.
    pub(super) fn request(self, number: u32) -> Message {
        let number = number.to_string();
        let payload = match self {
            Self::Upload => format!("{number},").repeat(UPLOADED),
            _ => number,
        };
        let payload = match self.method() {
            GET => Vec::new(),
            _ => payload.into_bytes()[..]
                .iter()
                .copied()
                .take(UPLOADED)
                .collect(),
        };
        let request = Message::new(self.method()).with_option(URI_PATH, self.path());
        request.with_payload(payload)
    }

    /// The errand of a request.
    pub(super) fn of(request: &Message) -> Self {
        let path = request.option(URI_PATH).expect("each request has a path");
        let found = ERRANDS
            .iter()
            .find(|errand| errand.path().as_bytes() == path);
        *found.expect("the path of an errand")
    }

    /// The response to a request with this payload.
    pub(super) fn response(self, payload: &[u8]) -> Message {
        let of = |code, length: usize, format: u16| {
            let start = payload.iter().copied().chain(*b":");
            let rest = std::iter::repeat(b'.');
            let body: Vec<u8> = start
                .chain(rest)
                .take(length.max(payload.len() + 1))
                .collect();
            Message::new(code)
                .with_uint_option(CONTENT_FORMAT, format.into())
                .with_payload(body)
        };
        let tagged = |message: Message| message.with_option(ETAG, [7; 8]);
        match self {
            Self::Time => of(CONTENT, 10, content_format::CBOR).with_uint_option(MAX_AGE, 0),
            Self::Discover => tagged(of(CONTENT, 400, content_format::LINK_FORMAT)),
            Self::Read => {
                tagged(of(CONTENT, 250, content_format::CBOR)).with_uint_option(MAX_AGE, 0)
            }
            Self::Send => of(CHANGED, 60, content_format::CBOR),
            // The message is long, its event ID is not.
            Self::Upload => Message::new(CHANGED)
                .with_uint_option(CONTENT_FORMAT, content_format::CBOR.into())
                .with_payload(&payload[..payload.len().min(16)]),
            Self::Join => of(CHANGED, 60, content_format::CBOR),
            Self::LogIn => of(CREATED, 300, content_format::CBOR),
            Self::Missing => Message::diagnostic(NOT_FOUND, "x".repeat(100)),
        }
    }

    /// Whether a response with success is a promise: the message is in its room.
    pub(super) fn is_promise(self, response_code: u8) -> bool {
        matches!(self, Self::Send | Self::Upload) && code::class(response_code) == 2
    }
}
