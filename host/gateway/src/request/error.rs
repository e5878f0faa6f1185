//! What the host itself answers when a request does not reach a rule, or a rule fails: the one place where the
//! host's errors become CoAP codes.

use std::borrow::Cow;
use std::time::Duration;

use coap::{Message, code, option};
use contract::secret::NotAToken;
use runtime::exchange::{ContractViolation, ExchangeError};
use runtime::{Limit, Trap};

/// Seconds a device waits before it tries a busy or draining gateway again.
const RETRY_SECONDS: u32 = 5;

/// Why the host answers an exchange itself.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// 4.00: Proxy-Uri does not parse.
    #[error("Proxy-Uri: {0}")]
    ProxyUri(&'static str),
    /// 4.00: a path segment that some server would not take literally.
    #[error("a path segment is empty, '.', '..', or has control characters")]
    Segment,
    /// 4.00: Uri-Path is not text.
    #[error("Uri-Path is not UTF-8")]
    UriPath,
    /// 4.00: RFC 8768 §3.
    #[error("Hop-Limit must be 1 to 255")]
    HopLimit,
    /// 5.08: RFC 8768 §3.
    #[error("Hop-Limit is 1: this Matrix gateway may not forward the request; send a larger one")]
    HopLimitReached,
    /// 4.00: option 256.
    #[error("option 256: {0}")]
    Token(#[from] NotAToken),
    /// 4.04.
    #[error("no such resource; GET /.well-known/core lists what there is")]
    NotFound,
    /// 4.05.
    #[error("this resource does not have that method")]
    Method,
    /// 4.06.
    #[error("this resource cannot be had in the format that Accept asks for")]
    NotAcceptable,
    /// 4.12: a precondition of the request does not hold (RFC 7252 §5.10.8).
    #[error(
        "the precondition does not hold: this resource exists, and no ETag of If-Match is its own"
    )]
    Precondition,
    /// 4.15.
    #[error(
        "the payload's Content-Format must be one of those this resource accepts: 60 (CBOR) or 50 (JSON)"
    )]
    UnsupportedFormat,
    /// 5.05.
    #[error("{0}")]
    ProxyingNotSupported(&'static str),
    /// 5.03: the gateway is going down.
    #[error("this gateway is shutting down; try again")]
    Draining,
    /// 5.03: the bodies in flight are at their bound.
    #[error("this gateway has too much in flight; try again")]
    Busy,
    /// 5.03: the rule has used what it may use for now.
    #[error("the translation rule is at its limit {}; try again", .0.name())]
    RuleLimit(Limit),
    /// 5.03: the rule failed too often and is out of service for this long.
    #[error("the translation rule is out of service; try again")]
    RulePaused(Duration),
    /// 5.00: the rule trapped. Its reason is for the operator, not for the device.
    #[error("the translation rule failed; its operator finds the reason in the gateway's log")]
    RuleTrapped(#[from] Trap),
    /// 5.00: the rule broke the contract.
    #[error(
        "the translation rule broke its contract; its operator finds the reason in the gateway's log"
    )]
    RuleBrokeContract(Cow<'static, str>),
}

impl From<ExchangeError> for GatewayError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Trapped(trap) => Self::RuleTrapped(trap),
            ExchangeError::Contract(violation) => Self::from(violation),
        }
    }
}

impl From<ContractViolation> for GatewayError {
    fn from(violation: ContractViolation) -> Self {
        Self::RuleBrokeContract(violation.to_string().into())
    }
}

impl GatewayError {
    /// The response code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::ProxyUri(_) | Self::Segment | Self::UriPath | Self::HopLimit | Self::Token(_) => {
                code::BAD_REQUEST
            }
            Self::HopLimitReached => code::HOP_LIMIT_REACHED,
            Self::NotFound => code::NOT_FOUND,
            Self::Method => code::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => code::NOT_ACCEPTABLE,
            Self::Precondition => code::PRECONDITION_FAILED,
            Self::UnsupportedFormat => code::UNSUPPORTED_CONTENT_FORMAT,
            Self::ProxyingNotSupported(_) => code::PROXYING_NOT_SUPPORTED,
            Self::Draining | Self::Busy | Self::RuleLimit(_) | Self::RulePaused(_) => {
                code::SERVICE_UNAVAILABLE
            }
            Self::RuleTrapped(_) | Self::RuleBrokeContract(_) => code::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response: code, diagnostic payload (RFC 7252 §5.5.2), Max-Age where a retry makes sense.
    #[must_use]
    pub fn response(&self) -> Message {
        let response = Message::diagnostic(self.code(), self.to_string());
        match self {
            Self::Draining | Self::Busy => {
                response.with_uint_option(option::MAX_AGE, RETRY_SECONDS)
            }
            // Accounts are those of a second.
            Self::RuleLimit(_) => response.with_uint_option(option::MAX_AGE, 1),
            Self::RulePaused(left) => {
                let seconds = u32::try_from(left.as_secs() + 1).unwrap_or(u32::MAX);
                response.with_uint_option(option::MAX_AGE, seconds)
            }
            _ => response,
        }
    }
}
