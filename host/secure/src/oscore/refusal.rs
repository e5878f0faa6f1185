//! Requests that are not accepted, and their error responses (RFC 8613 §8.2).

use coap::option::MAX_AGE;
use coap::{Message, code};

use super::sender_numbers::NoNumber;
use super::usage::Spent;

/// Why a protected request was refused. The text is for the operator; the device gets the words of RFC 8613 §8.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// 4.02. The option does not decode, or has no `kid` or no Partial IV.
    #[error(
        "its OSCORE option is malformed; the device may use an extension, such as group OSCORE"
    )]
    Malformed,
    /// 4.02. A critical option outside the protected part that is not understood. A proxy may have added it.
    #[error(
        "critical option {0} outside the protected part is not understood; look for a proxy that adds it"
    )]
    OuterOption(u16),
    /// 4.02. Scheme, host or port of a proxy target outside the protected part: anybody on the way could send the
    /// request, and the access token in it, to another homeserver.
    #[error(
        "its Proxy-Uri or Proxy-Scheme is not protected; bind the device to its homeserver, or let it use a path"
    )]
    OuterProxy,
    /// 4.01. No context has this `kid` and `kid context`.
    #[error("no device has its kid; enrol the device, or correct the identifiers in it")]
    UnknownContext,
    /// 4.01, as for an unknown one. The context is not valid any more.
    #[error("its security context has expired; rotate the key of the device")]
    Expired,
    /// 4.01, as for an unknown one. Its keys have been used as often as they may.
    #[error(
        "{}; if it has not sent a million messages, somebody else has sent forged ones in its name",
        Spent
    )]
    Spent,
    /// 4.01. A request with this Partial IV was received before, or it is too old to tell.
    #[error("it is a replay, or more than 32 requests late")]
    Replay,
    /// 4.00. Another key, or the message was changed on the way.
    #[error(
        "it is not authentic; compare master secret, salt and identifiers with those of the device"
    )]
    NotAuthentic,
    /// 4.00. It is authentic, but what was encrypted is no CoAP request.
    #[error("what it protects is no CoAP request; update the device")]
    NoRequest,
    /// 4.01 with Echo, protected. The replay window was lost by a restart, and the request may be older.
    #[error(
        "it may be from before the restart; the device has to send it again with the Echo value"
    )]
    NotFresh,
    /// 5.03. The context cannot be used before the store has its reservation.
    #[error("its security context waits for the store")]
    NotStored,
    /// 5.03. All sequence numbers are used.
    #[error("all sequence numbers of its security context are used; rotate the key of the device")]
    Exhausted,
}

/// Seconds until a device may try again while the store is slow: a write takes less, even on a card.
const RETRY_SECONDS: u32 = 2;

impl Refusal {
    /// The error response, not protected. Max-Age 0: no proxy may keep it.
    pub(super) fn response(self) -> Message {
        let (code, text) = match self {
            Self::Malformed => (code::BAD_OPTION, "Failed to decode COSE"),
            Self::OuterOption(_) => (code::BAD_OPTION, "Unknown critical option outside OSCORE"),
            Self::OuterProxy => (code::BAD_OPTION, "Protect Proxy-Uri, or use a path"),
            // Not which of them: who has no key does not learn which devices there are.
            Self::UnknownContext | Self::Expired | Self::Spent => {
                (code::UNAUTHORIZED, "Security context not found")
            }
            Self::Replay => (code::UNAUTHORIZED, "Replay detected"),
            Self::NotAuthentic | Self::NoRequest => (code::BAD_REQUEST, "Decryption failed"),
            Self::NotFresh | Self::NotStored => {
                return Message::new(code::SERVICE_UNAVAILABLE)
                    .with_uint_option(MAX_AGE, RETRY_SECONDS);
            }
            Self::Exhausted => (code::SERVICE_UNAVAILABLE, "Key exhausted"),
        };
        Message::diagnostic(code, text).with_uint_option(MAX_AGE, 0)
    }
}

impl From<Spent> for Refusal {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

impl From<NoNumber> for Refusal {
    fn from(reason: NoNumber) -> Self {
        match reason {
            NoNumber::NotStored => Self::NotStored,
            NoNumber::Exhausted => Self::Exhausted,
        }
    }
}

/// A refused request and its response.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    /// The response, as it must be sent: not protected, but for [`Refusal::NotFresh`].
    pub response: Message,
}

impl From<Refusal> for Refused {
    fn from(reason: Refusal) -> Self {
        Self {
            reason,
            response: reason.response(),
        }
    }
}
