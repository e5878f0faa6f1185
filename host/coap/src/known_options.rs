//! Options that the caller understands in requests, besides those that the endpoint does.

/// Options that the caller understands. A request with another critical option is refused with 4.02 (RFC 7252 §5.4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownOptions {
    /// Critical ones. The caller checks their lengths and repetitions.
    pub critical: Vec<u16>,
    /// Those whose values the caller remembers for a secured session: a client may leave them out of the requests for
    /// further blocks of a body, so they do not distinguish its bodies.
    pub sticky: Vec<u16>,
}
