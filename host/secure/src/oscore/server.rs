//! The server's side: verifying requests (RFC 8613 §8.2) and protecting their responses (§8.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coap::option::{ECHO, OSCORE, PROXY_SCHEME, PROXY_URI, URI_HOST, URI_PORT};
use coap::{Message, Reply, code};

use super::class::{Outer, names_a_proxy_target};
use super::context::{CannotProtect, Context, RequestId};
use super::echo::echo;
use super::identifier::Identifier;
use super::key::TAG_BYTES;
use super::option_value::OptionValue;
use super::plaintext;
use super::refusal::{Refusal, Refused};
use super::replay_window::ReplayWindow;

/// Binds responses and notifications to their request. Clones belong to the same request.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(super) request: RequestId,
    /// Whether a response has the nonce of the request: at most one may.
    is_nonce_used: Arc<AtomicBool>,
}

/// A proxy target outside the protected part of a request. Not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OuterProxy<'a> {
    /// Proxy-Uri, without path and query (RFC 8613 §4.1.3.3).
    pub uri: Option<&'a [u8]>,
    /// Proxy-Scheme.
    pub scheme: Option<&'a [u8]>,
    /// Uri-Host, which belongs to Proxy-Scheme.
    pub host: Option<&'a [u8]>,
    /// Uri-Port, in bytes of the option.
    pub port: Option<&'a [u8]>,
}

/// The option of a request, with what a request must have.
pub(super) struct RequestOption<'a> {
    pub(super) request: RequestId,
    pub(super) kid_context: Option<&'a [u8]>,
}

impl<'a> RequestOption<'a> {
    /// Reads it; none if the request is not protected.
    pub(super) fn read(request: &'a Message) -> Option<Result<Self, Refusal>> {
        let value = request.option(OSCORE)?;
        let read = || {
            let value = OptionValue::decode(value).ok()?;
            Some((value.kid?, value.partial_iv?, value.kid_context))
        };
        Some(match read() {
            None => Err(Refusal::Malformed),
            // No context has a longer one.
            Some((kid, iv, kid_context)) => Identifier::new(kid)
                .map(|kid| Self {
                    request: RequestId { kid, iv },
                    kid_context,
                })
                .ok_or(Refusal::UnknownContext),
        })
    }
}

/// The `kid` of a protected request; none if it is not protected, or has no usable one.
pub(crate) fn request_kid(request: &Message) -> Option<Identifier> {
    let option = RequestOption::read(request)?.ok()?;
    Some(option.request.kid)
}

/// Checks the options outside the protected part. `allows` decides on a proxy target.
pub(super) fn check_outer(
    request: &Message,
    allows: impl FnOnce(&OuterProxy<'_>) -> bool,
) -> Result<(), Refusal> {
    let mut oscore_options = 0;
    for option in &request.options {
        match option.number {
            OSCORE if oscore_options == 0 => oscore_options = 1,
            number if Outer::of(number) == Outer::Refused => {
                return Err(Refusal::OuterOption(number));
            }
            _ => {}
        }
    }
    let target = OuterProxy {
        uri: request.option(PROXY_URI),
        scheme: request.option(PROXY_SCHEME),
        host: request.option(URI_HOST),
        port: request.option(URI_PORT),
    };
    match names_a_proxy_target(request) && !allows(&target) {
        true => Err(Refusal::OuterProxy),
        false => Ok(()),
    }
}

impl Context {
    /// Verifies a request whose option was read and whose outer options were checked, and replaces it by the request
    /// inside.
    pub(super) fn unprotect_request(
        &mut self,
        id: RequestId,
        request: &mut Message,
    ) -> Result<Binding, Refused> {
        // A request accepted before the first reservation since the start is stored could be replayed after the next
        // start, which would take the context for an unused one.
        self.numbers.is_reserved().map_err(Refusal::from)?;
        if let ReplayWindow::Held(held) = &self.window
            && !held.admits(id.iv)
        {
            return Err(Refusal::Replay.into());
        }
        if request.payload.len() <= TAG_BYTES {
            return Err(Refusal::NotAuthentic.into());
        }
        let text = self.open(id, (id.kid, id.iv), &request.payload);
        let Some(text) = text else {
            self.usage.fail();
            return Err(Refusal::NotAuthentic.into());
        };
        let inner = plaintext::read(&text).filter(|inner| code::is_request(inner.code));
        match &mut self.window {
            ReplayWindow::Held(held) => held.receive(id.iv),
            lost @ ReplayWindow::Lost => {
                let echoed = inner.as_ref().and_then(|inner| inner.option(ECHO));
                let echo = echo(self.numbers.resumed_at());
                if echoed != Some(&echo) {
                    return Err(self.challenge(id, echo));
                }
                lost.recover(id.iv);
            }
        }
        let inner = inner.ok_or(Refusal::NoRequest)?;
        let outer = std::mem::replace(request, inner);
        keep_outer(outer, request);
        Ok(Binding {
            request: id,
            is_nonce_used: Arc::default(),
        })
    }

    /// 4.01 with Echo, protected with a number of its own: the request may be a replay, whose nonce was used for a
    /// response before (RFC 8613 Appendix B.1.2).
    fn challenge(&mut self, id: RequestId, echo: Vec<u8>) -> Refused {
        let mut response = Message::new(code::UNAUTHORIZED).with_option(ECHO, echo);
        match self.protect_with_own_number(id, &mut response) {
            Ok(()) => Refused {
                reason: Refusal::NotFresh,
                response,
            },
            Err(CannotProtect::NoNumber(reason)) => Refusal::from(reason).into(),
            Err(_) => Refusal::NotStored.into(),
        }
    }

    fn protect_with_own_number(
        &mut self,
        request: RequestId,
        message: &mut Message,
    ) -> Result<(), CannotProtect> {
        let iv = self.numbers.take()?;
        let value = OptionValue {
            partial_iv: Some(iv),
            ..OptionValue::default()
        };
        self.seal(request, (self.keys.sender_id, iv), &value, message)
    }

    /// Protects a response or notification. The response has the nonce of the request, and no bytes for it; a
    /// notification, or one response more, has its own Partial IV (RFC 8613 §4.1.3.5.2). Clients take a message without
    /// Partial IV for the oldest one.
    ///
    /// # Errors
    /// See [`CannotProtect`].
    pub(super) fn protect_response(
        &mut self,
        binding: &Binding,
        reply: Reply,
        response: &mut Message,
    ) -> Result<(), CannotProtect> {
        let request = binding.request;
        if reply == Reply::Notification || binding.is_nonce_used.swap(true, Ordering::Relaxed) {
            return self.protect_with_own_number(request, response);
        }
        let empty = OptionValue::default();
        self.seal(request, (request.kid, request.iv), &empty, response)
    }
}

/// Adds the options of class U that are not inside as well. Host and port outside do not belong to a target inside.
fn keep_outer(outer: Message, request: &mut Message) {
    let is_target_inside = names_a_proxy_target(request);
    let is_inside = |number| request.option(number).is_some();
    let mut kept = outer.options;
    kept.retain(|option| match (option.number, Outer::of(option.number)) {
        (_, Outer::Discarded | Outer::Refused) => false,
        (URI_HOST | URI_PORT, _) | (_, Outer::Proxy) if is_target_inside => false,
        (number, _) => !is_inside(number),
    });
    for option in kept {
        request.push_option(option.number, option.value);
    }
}
