//! The first block of a request's body, as a caller judges it.

use std::convert::Infallible;

use crate::block::Block;
use crate::cache_key::BodyKey;
use crate::exchange::RequestMeta;
use crate::incoming::Request;

/// The first block of a body in blocks (RFC 7959 §2.5), while its device waits for 2.31. The caller must pass it to
/// [`Endpoint::continue_body`] or [`Endpoint::refuse_body`].
#[derive(Debug)]
pub struct FirstBlock<P, C = Infallible> {
    /// The request as it will be, except its payload, which is empty, and `observes`.
    pub request: Request<P>,
    /// The context of a protected request.
    pub protection: Option<C>,
    /// Bytes of the whole body, as the client announces (Size1).
    pub announced: Option<u32>,
    pub(super) meta: RequestMeta<P, C>,
    pub(super) key: BodyKey<P>,
    pub(super) block: Block,
}
