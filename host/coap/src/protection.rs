//! The place of object security: OSCORE (RFC 8613) protects messages between the message layer and the options.
//!
//! Order of processing of a request: the endpoint decodes the datagram, detects duplicates (RFC 7252 §4.5), lets
//! [`MessageProtection::unprotect`] replace the message, and only then reads its options (RFC 8613 §8.2, step 9).
//! Order for a response or notification: the endpoint fits it (options, block, size), lets
//! [`MessageProtection::protect`] replace it (§8.3), and encodes the result. A retransmission sends the encoded bytes
//! again.
//!
//! Empty messages are not protected (RFC 8613 §4.2). Block options outside the protected part, which proxies add
//! (§4.1.3.4.2), are not assembled before `unprotect`.

use std::convert::Infallible;
use std::time::Instant;

use crate::message::Message;

/// What a message is to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The response, or the first one of an observation: at most one for each request.
    Response,
    /// A notification after it. It may be protected before the response, if that one waits.
    Notification,
}

/// A message cannot be protected, and must not leave: its security context has ended, or has no sequence number
/// (RFC 8613 §7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the security context has ended, or has no sequence number")]
pub struct CannotProtect;

/// Protects the messages of an endpoint. `P` identifies the peer.
pub trait MessageProtection<P> {
    /// Belongs to one protected request. Its responses and notifications are bound to it: for OSCORE the security
    /// context, the `kid` and the Partial IV, which a server stores until all responses are sent (RFC 8613 §7.1). The
    /// endpoint keeps it as long as the exchange or the observation.
    type Context: Clone;

    /// Names the security association of a request. Blocks of different associations, or of none, are never put
    /// together, and none renews or ends the observation of another: the address of a peer may be forged.
    fn association(&self, context: &Self::Context) -> u64;

    /// Replaces a protected request by the request inside. Called once for each request that is no duplicate and is
    /// within the peer's rate. `Ok(None)`: the request is not protected, and its responses will not be either.
    ///
    /// # Errors
    /// The error response, if verification fails: 4.00, 4.01 or 4.02 (RFC 8613 §8.2, steps 2, 3 and 6), or one that is
    /// protected already (Appendix B.1.2). The endpoint sends it to duplicates of the request too. An unproven
    /// address gets no more bytes than it sent: without diagnostic and options if they do not fit, and a ping in place
    /// of a protected one that does not.
    fn unprotect(
        &mut self,
        now: Instant,
        peer: &P,
        request: &mut Message,
    ) -> Result<Option<Self::Context>, Message>;

    /// Replaces a response or notification by its protected form. Called once for each message; the endpoint keeps the
    /// encoded result for retransmissions and duplicates. A message that waits for an acknowledgement of another one
    /// (NSTART) is protected before it waits, and one whose observation ends meanwhile never leaves.
    ///
    /// # Errors
    /// [`CannotProtect`]. The endpoint sends 5.03 without content in place of a response, and ends the observation of a
    /// notification.
    fn protect(
        &mut self,
        now: Instant,
        peer: &P,
        context: &Self::Context,
        reply: Reply,
        message: &mut Message,
    ) -> Result<(), CannotProtect>;

    /// The most bytes that [`protect`](Self::protect) adds to a datagram. Responses to unproven addresses leave room
    /// for them (RFC 9175 §2.4).
    fn overhead(&self, context: &Self::Context) -> usize;
}

/// Messages as they are. An endpoint with it refuses a request with the OSCORE option, which is critical, with 4.02.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProtection;

impl<P> MessageProtection<P> for NoProtection {
    /// No request is protected; the compiler removes the calls.
    type Context = Infallible;

    #[inline]
    fn unprotect(
        &mut self,
        _: Instant,
        _: &P,
        _: &mut Message,
    ) -> Result<Option<Infallible>, Message> {
        Ok(None)
    }

    #[inline]
    fn association(&self, context: &Infallible) -> u64 {
        match *context {}
    }

    #[inline]
    fn protect(
        &mut self,
        _: Instant,
        _: &P,
        context: &Infallible,
        _: Reply,
        _: &mut Message,
    ) -> Result<(), CannotProtect> {
        match *context {}
    }

    #[inline]
    fn overhead(&self, context: &Infallible) -> usize {
        match *context {}
    }
}
