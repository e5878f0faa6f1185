//! The gateway's `request::proxy_uri` with the error type that it needs.

#[path = "../../../host/gateway/src/request/proxy_uri.rs"]
pub mod proxy_uri;

/// Stands for the gateway's errors, whose other variants depend on the runtime of rules.
pub mod error {
    /// Why a Proxy-Uri is refused.
    #[derive(Debug, thiserror::Error)]
    pub enum GatewayError {
        /// 4.00: it does not parse.
        #[error("Proxy-Uri: {0}")]
        ProxyUri(&'static str),
        /// 4.00: a segment that some servers do not take literally.
        #[error("a path segment is empty, '.', '..', or has control characters")]
        Segment,
        /// 5.05.
        #[error("{0}")]
        ProxyingNotSupported(&'static str),
    }
}
