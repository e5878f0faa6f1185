//! What `proxy_uri` needs of its neighbours.

#[path = "../../../host/src/exchange/proxy_uri.rs"]
pub mod proxy_uri;

/// Stands for the gateway's, whose other kinds come from the runtime of rules.
pub mod refusal {
    /// Why a Proxy-Uri is refused.
    #[derive(Debug, thiserror::Error)]
    pub enum Refusal {
        /// 4.00: it does not parse.
        #[error("Proxy-Uri: {0}")]
        ProxyUri(&'static str),
        /// 4.00: a segment that some server would not take literally.
        #[error("a path segment is empty, '.', '..', or has control characters")]
        Segment,
        /// 5.05.
        #[error("{0}")]
        ProxyingNotSupported(&'static str),
    }
}
