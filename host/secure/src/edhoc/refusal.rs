//! Messages that are not accepted, and their error messages (RFC 9528 §6).

use std::time::Duration;

use coap::option::{CONTENT_FORMAT, MAX_AGE, content_format};
use coap::{Message, code};

use crate::cbor;

/// Why a message was refused. The text is for the operator; the device gets less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Not a message of EDHOC, or longer than one that the gateway can process.
    #[error("what it sent is no message of EDHOC that the gateway can read; update the device")]
    Malformed,
    /// Another method than 3, static Diffie-Hellman keys.
    #[error("it wants EDHOC method {0}; set it to method 3")]
    Method(i64),
    /// Another suite than 2. The device gets SUITES_R.
    #[error("it has selected EDHOC cipher suite {0}; set it to suite 2")]
    Suite(i64),
    /// Its ephemeral key is no point on the curve.
    #[error(
        "its ephemeral key is not on the curve P-256; the device computes wrongly, or somebody sends junk"
    )]
    NotOnCurve,
    /// A critical item of external authorization data.
    #[error(
        "it demands external authorization data {0}, which the gateway does not have; set it not to"
    )]
    CriticalData(u64),
    /// No session waits for this message: it came too late, twice, or from elsewhere.
    #[error("no handshake of its address waits for this message; the device has to begin again")]
    NoSession,
    /// No device has this credential.
    #[error("no device has the credential that it names; enrol it, or correct its kid")]
    UnknownCredential,
    /// The named device does not have the private key, or the two sides have different bytes for a credential.
    #[error(
        "it does not prove the key of the credential that it names; compare both credentials with those in the device"
    )]
    NotAuthentic,
    /// The message, the credentials and what else is hashed with them do not fit into the library's buffers.
    #[error(
        "its message and its credential are too long together; shorten the subject of the credential"
    )]
    TooLong,
    /// No room for another session. The device gets 5.03.
    #[error("its host or all hosts have as many handshakes in progress as they may")]
    Busy,
    /// The device has run it too often. It gets 4.29 with the seconds until it may again.
    #[error(
        "its device has run EDHOC 16 times and more than once in five minutes; look whether it restarts in a loop, or \
         remove it if it is stolen (it may again in {0} s)"
    )]
    TooOften(u32),
    /// No security context can be added.
    #[error("no security context can be added; remove devices that are not used")]
    NoContext,
}

/// A refused message and its response.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    /// The response, as it must be sent.
    pub response: Message,
}

/// Seconds until a device may begin again: a handshake of another one takes less.
const RETRY_SECONDS: u32 = 5;
/// Codes of errors.
const UNSPECIFIED: i32 = 1;
const WRONG_SUITE: i32 = 2;
/// The cipher suite of this gateway.
pub(super) const SUITE: i32 = 2;

impl Refusal {
    /// [`Refusal::TooOften`]. In whole minutes: a line of the log for each time would be many.
    pub(super) fn too_often(wait: Duration) -> Self {
        Self::TooOften(wait.as_secs().div_ceil(60).max(1) as u32 * 60)
    }

    /// The error response, not protected (RFC 9528 Appendix A.2.3).
    pub(super) fn response(self) -> Message {
        if self == Self::Busy {
            return Message::new(code::SERVICE_UNAVAILABLE)
                .with_uint_option(MAX_AGE, RETRY_SECONDS);
        }
        if let Self::TooOften(seconds) = self {
            return Message::new(code::TOO_MANY_REQUESTS).with_uint_option(MAX_AGE, seconds);
        }
        let mut error = Vec::new();
        match self {
            Self::Suite(_) => {
                cbor::int(&mut error, WRONG_SUITE);
                cbor::int(&mut error, SUITE);
            }
            _ => {
                cbor::int(&mut error, UNSPECIFIED);
                cbor::text(&mut error, self.text());
            }
        }
        let code = match self {
            Self::NoContext => code::INTERNAL_SERVER_ERROR,
            _ => code::BAD_REQUEST,
        };
        Message::new(code)
            .with_uint_option(CONTENT_FORMAT, content_format::EDHOC.into())
            .with_payload(error)
    }

    /// For the device. A wrong key and an unknown credential look alike: who has no key does not learn which devices
    /// there are.
    fn text(self) -> &'static str {
        match self {
            Self::Method(_) => "use method 3",
            Self::CriticalData(_) => "critical EAD",
            Self::NotOnCurve => "G_X",
            Self::NoSession => "begin again",
            Self::UnknownCredential | Self::NotAuthentic => "not authentic",
            Self::TooLong => "too long",
            Self::NoContext => "too many devices",
            Self::Malformed | Self::Suite(_) | Self::Busy | Self::TooOften(_) => "malformed",
        }
    }
}

impl From<Refusal> for Refused {
    fn from(reason: Refusal) -> Self {
        Self {
            reason,
            response: reason.response(),
        }
    }
}
