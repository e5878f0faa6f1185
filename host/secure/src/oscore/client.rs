//! The client's side: protecting requests (RFC 8613 §8.1) and verifying their responses (§8.4).

use coap::option::{OBSERVE, OSCORE};
use coap::{Message, code, message};

use super::context::{CannotProtect, Context, RequestId};
use super::nonce::PartialIv;
use super::option_value::OptionValue;
use super::plaintext;

/// A request that was sent, for the verification of its responses.
#[derive(Debug)]
pub struct SentRequest {
    request: RequestId,
    observes: bool,
    /// Whether a response with the nonce of the request was verified.
    has_response: bool,
    /// The highest Partial IV of a notification (RFC 8613 §7.4.1).
    notification_number: Option<PartialIv>,
}

/// Why a response is not accepted. The message has not changed; the request may still get another response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// It has no OSCORE option: an error of the server before it has found the context, or of a proxy, or a forgery.
    #[error(
        "the response is not protected; compare the identifiers of both sides, and do not trust its content"
    )]
    NotProtected,
    /// Its option does not decode.
    #[error("the OSCORE option of the response is malformed")]
    Malformed,
    /// Another key, or another request, or it was changed on the way.
    #[error(
        "the response is not authentic; compare master secret, salt and identifiers of both sides"
    )]
    NotAuthentic,
    /// A response to the same request, or a notification as new, was accepted before.
    #[error("the response is a replay, or older than the last one")]
    Replay,
    /// What was encrypted is no response, or a notification that was not asked for.
    #[error("what the response protects is no response to the request; update the server")]
    NoResponse,
}

impl Context {
    /// Replaces a request by its protected form. Proxy-Uri and Proxy-Scheme are inside: the peer must be the proxy.
    ///
    /// # Errors
    /// See [`CannotProtect`]. Poll [`poll_reservation`](Self::poll_reservation) before and after.
    pub fn protect_request(&mut self, request: &mut Message) -> Result<SentRequest, CannotProtect> {
        let iv = self.numbers.take()?;
        let kid = self.keys.sender_id;
        let id = RequestId { kid, iv };
        let observes = request.option(OBSERVE).is_some();
        let id_context = self.keys.id_context.clone();
        let value = OptionValue {
            partial_iv: Some(iv),
            kid_context: id_context.as_ref().map(|context| context.as_bytes()),
            kid: Some(kid.as_bytes()),
        };
        self.seal(id, (kid, iv), &value, request)?;
        Ok(SentRequest {
            request: id,
            observes,
            has_response: false,
            notification_number: None,
        })
    }

    /// Replaces a response or notification by the one inside. The Observe option of a notification is made from its
    /// Partial IV, so that the newest one has the highest (RFC 8613 §4.1.3.5.2).
    ///
    /// # Errors
    /// See [`ResponseError`].
    pub fn unprotect_response(
        &self,
        sent: &mut SentRequest,
        response: &mut Message,
    ) -> Result<(), ResponseError> {
        let value = response.option(OSCORE).ok_or(ResponseError::NotProtected)?;
        let value = OptionValue::decode(value).map_err(|_| ResponseError::Malformed)?;
        let nonce = match value.partial_iv {
            Some(iv) => (self.keys.recipient_id, iv),
            None if sent.has_response => return Err(ResponseError::Replay),
            None => (sent.request.kid, sent.request.iv),
        };
        let text = self.open(sent.request, nonce, &response.payload);
        let text = text.ok_or(ResponseError::NotAuthentic)?;
        let mut inner = plaintext::read(&text)
            .filter(|inner| code::is_response(inner.code))
            .ok_or(ResponseError::NoResponse)?;
        let is_notification = inner.option(OBSERVE).is_some();
        if is_notification && !sent.observes {
            return Err(ResponseError::NoResponse);
        }
        match value.partial_iv {
            // Without a Partial IV it is the oldest one.
            None => sent.has_response = true,
            Some(iv) if sent.notification_number >= Some(iv) => return Err(ResponseError::Replay),
            Some(iv) => sent.notification_number = Some(iv),
        }
        if is_notification {
            // Above 0, which the one without Partial IV has: that is the oldest.
            let number = value.partial_iv.map_or(0, |iv| iv.number() + 1);
            inner.set_option(OBSERVE, message::encode_uint(number as u32 & 0x00ff_ffff));
        }
        *response = inner;
        Ok(())
    }
}
