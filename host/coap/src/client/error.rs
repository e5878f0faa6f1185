//! The outcome of an exchange without a response.

use crate::option_bounds::OptionExcess;

/// Why an exchange ended without a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No acknowledgement and no response, after all retransmissions or the timeout.
    #[error("no response after {retransmissions} retransmissions")]
    Silent {
        /// Retransmissions of the last message.
        retransmissions: u32,
    },
    /// The request was acknowledged, but no response arrived in time.
    #[error("the request was acknowledged, but no response followed in time")]
    NoResponse,
    /// RFC 7252 §4.2: the peer rejected the message with RST.
    #[error("the peer reset the message: it does not understand it, or has restarted")]
    Reset,
    /// The body is above [`Settings::max_response_body`](super::Settings::max_response_body).
    #[error("the response is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// RFC 7252 §5.4.1: this client does not understand a critical option.
    #[error("the response has the critical option {0}, which is not understood")]
    CriticalOption(u16),
    /// The response has more options than a server of this crate sends: its [`Limits`](crate::Limits) allow 1 KiB, so
    /// the client needs no higher bound than the server.
    #[error("the response was not read: {0}")]
    ExcessiveOptions(OptionExcess),
    /// RFC 7959: blocks out of order, of the wrong size or of different responses.
    #[error("the block-wise transfer failed: {0}")]
    Blocks(&'static str),
}
