//! Error responses of the gateway itself: to a request that does not reach a rule, and to one whose rule fails. The
//! gateway's errors become CoAP codes only here. Their texts are short: they are diagnostics for constrained devices.

use std::borrow::Cow;
use std::time::Duration;

use coap::{Message, code, option};
use contract::secret::NotAToken;
use runtime::ContractViolation;
use runtime::exchange::ExchangeError;
use runtime::{Limit, Trap};

/// Max-Age in seconds of a busy or draining gateway: the device retries after it.
const RETRY_SECONDS: u32 = 5;

/// An error response of the gateway itself.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// 4.00: the Proxy-Uri does not parse.
    #[error("Proxy-Uri: {0}")]
    ProxyUri(&'static str),
    /// 4.00: a server could interpret this path segment instead of taking it literally.
    #[error("path segment: empty, '.', '..', or with control characters")]
    Segment,
    /// 4.00: Uri-Path is not text.
    #[error("Uri-Path is not UTF-8")]
    UriPath,
    /// 4.00: Uri-Query is not text.
    #[error("Uri-Query is not UTF-8")]
    UriQuery,
    /// 4.00: RFC 8768 §3.
    #[error("Hop-Limit must be 1 to 255")]
    HopLimit,
    /// 5.08: RFC 8768 §3.
    #[error("send a Hop-Limit above 1: this gateway forwards the request")]
    HopLimitReached,
    /// 4.00: option 256 is not an access token.
    #[error("option 256: {0}")]
    Token(#[from] NotAToken),
    /// 4.01: the resource needs an access token.
    #[error("no access token: send one in option 256")]
    NoToken,
    /// 4.02: neither the gateway nor the resource's rule understands this critical option, or it is too long, or it is
    /// repeated (RFC 7252 §5.4.1).
    #[error("leave out or correct critical option {0}")]
    Option(u16),
    /// 4.03: `[device.NAME] may` does not have it.
    #[error("not granted: the operator has to add it to this device's may")]
    NotGranted,
    /// 4.03: `require_secured`.
    #[error("use coaps or OSCORE: this gateway serves secured devices")]
    NotSecured,
    /// 4.04.
    #[error("no such resource; see /.well-known/core")]
    NotFound,
    /// 4.04.
    #[error("no such message of this device, or it is forgotten")]
    NoSuchMessage,
    /// 4.05.
    #[error("method not allowed for this resource")]
    Method,
    /// 4.06.
    #[error("no representation in the format of Accept")]
    NotAcceptable,
    /// 4.12: a precondition of the request does not hold (RFC 7252 §5.10.8).
    #[error("the resource exists, and no If-Match has its ETag")]
    Precondition,
    /// 4.13: the request's body is above the rule's limit `body`. It holds that limit.
    #[error("send less: at most {0} bytes")]
    TooLarge(usize),
    /// 4.15. It holds the formats that the resource accepts.
    #[error("Content-Format must be {}", .0.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "))]
    UnsupportedFormat(Vec<u16>),
    /// 5.05: a proxy request that this gateway does not forward.
    #[error("{0}")]
    ProxyingNotSupported(&'static str),
    /// 5.03: the gateway stops.
    #[error("the gateway is shutting down; try again")]
    Draining,
    /// 5.03: the bytes that requests in progress hold are at their limit.
    #[error("the gateway is busy; try again")]
    Busy,
    /// 5.03: the rule is at one of its limits.
    #[error("try again: the rule is at its limit {}", .0.name())]
    RuleLimit(Limit),
    /// 5.03: the rule failed too often and is out of service for this long.
    #[error("the rule is out of service; try again")]
    RulePaused(Duration),
    /// 5.00: the rule trapped. The reason is for the operator, not for the device.
    #[error("the rule failed; see the gateway's log")]
    RuleTrapped(#[from] Trap),
    /// 5.00: the rule broke the contract.
    #[error("the rule broke its contract; see the gateway's log")]
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
            Self::ProxyUri(_)
            | Self::Segment
            | Self::UriPath
            | Self::UriQuery
            | Self::HopLimit
            | Self::Token(_) => code::BAD_REQUEST,
            Self::HopLimitReached => code::HOP_LIMIT_REACHED,
            Self::NoToken => code::UNAUTHORIZED,
            Self::NotGranted | Self::NotSecured => code::FORBIDDEN,
            Self::Option(_) => code::BAD_OPTION,
            Self::NotFound | Self::NoSuchMessage => code::NOT_FOUND,
            Self::Method => code::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => code::NOT_ACCEPTABLE,
            Self::Precondition => code::PRECONDITION_FAILED,
            Self::TooLarge(_) => code::REQUEST_ENTITY_TOO_LARGE,
            Self::UnsupportedFormat(_) => code::UNSUPPORTED_CONTENT_FORMAT,
            Self::ProxyingNotSupported(_) => code::PROXYING_NOT_SUPPORTED,
            Self::Draining | Self::Busy | Self::RuleLimit(_) | Self::RulePaused(_) => {
                code::SERVICE_UNAVAILABLE
            }
            Self::RuleTrapped(_) | Self::RuleBrokeContract(_) => code::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response: code, diagnostic payload (RFC 7252 §5.5.2), and Max-Age if a retry makes sense.
    #[must_use]
    pub fn response(&self) -> Message {
        let response = Message::diagnostic(self.code(), self.to_string());
        match self {
            Self::Draining | Self::Busy => {
                response.with_uint_option(option::MAX_AGE, RETRY_SECONDS)
            }
            // RFC 7959 §4.
            Self::TooLarge(most) => {
                let most = u32::try_from(*most).unwrap_or(u32::MAX);
                response.with_uint_option(option::SIZE1, most)
            }
            // A rule's limits count per second.
            Self::RuleLimit(_) => response.with_uint_option(option::MAX_AGE, 1),
            Self::RulePaused(left) => {
                let seconds = u32::try_from(left.as_secs() + 1).unwrap_or(u32::MAX);
                response.with_uint_option(option::MAX_AGE, seconds)
            }
            _ => response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sources whose texts after these words become diagnostics.
    const SOURCES: [&str; 14] = [
        include_str!("proxy_uri.rs"),
        include_str!("local_authority.rs"),
        include_str!("requested_path.rs"),
        include_str!("discovery.rs"),
        include_str!("../observe/broker.rs"),
        include_str!("../observe/feed_result.rs"),
        include_str!("../observe/handover.rs"),
        include_str!("../observe/next_feed_poll.rs"),
        include_str!("../observe/next_long_poll.rs"),
        include_str!("../observe/notification.rs"),
        include_str!("../observe/observations.rs"),
        include_str!("../observe/poll_result.rs"),
        include_str!("../observe/reconfiguration.rs"),
        include_str!("../../../homeserver/src/upstreams.rs"),
    ];
    const WORDS: [&str; 7] = [
        "::ProxyUri(",
        "ProxyingNotSupported(",
        "NO_RESOURCE: &str = ",
        "why = ",
        "last(",
        "code::UNAUTHORIZED,",
        "Err(",
    ];

    /// The literal at the beginning of a text, if there is one.
    fn literal(text: &str) -> Option<&str> {
        let text = text.trim_start();
        let text = text.strip_prefix("code::").map_or(text, |rest| {
            rest.split_once(',')
                .map_or(rest, |(_, rest)| rest.trim_start())
        });
        text.strip_prefix('"')?.split('"').next()
    }

    fn after(word: &str) -> Vec<String> {
        let places = SOURCES.iter().flat_map(|source| source.split(word).skip(1));
        places.filter_map(literal).map(str::to_owned).collect()
    }

    fn texts() -> Vec<String> {
        let [of_uri, others @ ..] = WORDS;
        let uris = after(of_uri).into_iter();
        let uris = uris.map(|text| format!("Proxy-Uri: {text}"));
        uris.chain(others.into_iter().flat_map(after)).collect()
    }

    #[test]
    fn every_diagnostic_is_ascii_and_fits_64_bytes() {
        let long = Limit::LogLines;
        let errors = [
            GatewayError::Segment,
            GatewayError::UriPath,
            GatewayError::UriQuery,
            GatewayError::HopLimit,
            GatewayError::HopLimitReached,
            GatewayError::Token(NotAToken::Empty),
            GatewayError::Token(NotAToken::TooLong),
            GatewayError::Token(NotAToken::Characters),
            GatewayError::NoToken,
            GatewayError::NotGranted,
            GatewayError::NotSecured,
            GatewayError::NoSuchMessage,
            GatewayError::NotFound,
            GatewayError::Method,
            GatewayError::NotAcceptable,
            GatewayError::Precondition,
            GatewayError::Option(u16::MAX),
            GatewayError::TooLarge(usize::MAX),
            GatewayError::UnsupportedFormat(vec![65_535; 5]),
            GatewayError::Draining,
            GatewayError::Busy,
            GatewayError::RuleLimit(long),
            GatewayError::RulePaused(Duration::from_secs(1)),
            GatewayError::RuleBrokeContract("how".into()),
        ];
        let errors = errors.iter().map(ToString::to_string);
        let texts: Vec<_> = errors.chain(texts()).collect();
        assert!(texts.len() > 45, "{} texts: {texts:?}", texts.len());
        for text in texts {
            let is_ascii = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            assert!(is_ascii && text.len() <= 64, "{} bytes: {text}", text.len());
        }
    }
}
