//! Why the contract does not allow a homeserver call.

/// Bytes of a request body: the most that an operator may allow a rule (`[rule.limits] body`), as much as a device can
/// send.
pub const MAX_BODY: usize = 1 << 20;
/// Headers that a rule may add: the default rule needs two.
pub const MAX_HEADERS: usize = 16;

/// The part of a request that the contract does not allow. The text repeats nothing of the request: a password could be
/// in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFault {
    /// Another method.
    #[error("its method is not GET, POST, PUT or DELETE")]
    Method,
    /// Another credential.
    #[error("its credential is not none, device or any")]
    Credential,
    /// A path that servers would resolve to another one.
    #[error("its path has a segment that is empty, a dot segment or has control characters")]
    Path,
    /// A credential, or a header that the host sets.
    #[error(
        "its header is a credential, set by the gateway itself, or has a name that is not in lower case"
    )]
    HeaderName,
    /// A header on which a proxy could act.
    #[error(
        "it has a header that this rule may not send: content-type, accept, if-match, if-none-match, \
         if-modified-since, x-matrix-… and those in [[rule]] allow_headers pass; if no proxy in front of the \
         homeserver acts on this one, add it there"
    )]
    HeaderNotGranted,
    /// A header that could end before its end.
    #[error("it has a header value with characters outside of printable ASCII")]
    HeaderValue,
    /// Above [`MAX_HEADERS`].
    #[error("it has more than {MAX_HEADERS} headers")]
    Headers,
    /// Above [`MAX_BODY`].
    #[error("its body has more than {MAX_BODY} bytes")]
    Body,
}
