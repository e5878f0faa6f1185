//! The security contexts of a gateway, by the `kid` of their devices.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use coap::{Message, Reply};

use super::add_error::AddError;
use super::context::{CannotProtect, Context};
use super::derivation::{Parameters, ParametersError};
use super::entry::Entry;
use super::identifier::Identifier;
use super::refusal::{Refusal, Refused};
use super::reservation::{ContextId, Reservation};
use super::server::{Binding, OuterProxy, RequestOption, check_outer};
use super::usage::{Usage, Used};

/// A verified request: what the endpoint keeps for its responses.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The context.
    pub context: ContextId,
    /// The name of the device.
    pub principal: Arc<str>,
    pub(super) binding: Binding,
}

/// Decides whether a device may use a proxy target outside the protected part: see [`Contexts::allow_outer_proxy`].
type OuterProxyPolicy = Box<dyn Fn(&str, &OuterProxy<'_>) -> bool + Send>;

/// All contexts. Less than 1 KiB for each.
pub struct Contexts {
    by_kid: HashMap<Identifier, Entry>,
    most: usize,
    next_id: u64,
    /// At most one for each context.
    reservations: VecDeque<Reservation>,
    allows_outer_proxy: OuterProxyPolicy,
    latest_refusal: Option<(Option<Arc<str>>, Refusal)>,
}

impl Contexts {
    /// No contexts, and room for `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            by_kid: HashMap::new(),
            most,
            next_id: 0,
            reservations: VecDeque::new(),
            allows_outer_proxy: Box::new(|_, _| false),
            latest_refusal: None,
        }
    }

    /// From now on requests with an unprotected proxy target are accepted if `allows` returns true for the device and
    /// the target: if it is the homeserver that the device is bound to. Without this call all of them are refused.
    pub fn allow_outer_proxy(
        &mut self,
        allows: impl Fn(&str, &OuterProxy<'_>) -> bool + Send + 'static,
    ) {
        self.allows_outer_proxy = Box::new(allows);
    }

    /// Adds the context of a device. `stored_end` is that of its last stored [`Reservation`], 0 if there is none: see
    /// [`Context::new`]. A context from `expires` on is refused.
    ///
    /// # Errors
    /// See [`AddError`].
    pub fn add(
        &mut self,
        principal: Arc<str>,
        parameters: &Parameters,
        stored_end: u64,
        expires: Option<Instant>,
    ) -> Result<ContextId, AddError> {
        let kid = parameters.recipient_id;
        self.insert(kid, principal, expires, || {
            Context::new(parameters, stored_end)
        })
    }

    /// The store has this use of the keys of a context that was just added: see [`Reservation::used`].
    pub fn resume_use(&mut self, kid: Identifier, used: Used) {
        if let Some(entry) = self.by_kid.get_mut(&kid) {
            entry.context.usage = Usage::resume(used);
            entry.context.usage.reserve();
            let ours = |reservation: &&mut Reservation| reservation.kid == kid;
            if let Some(reservation) = self.reservations.iter_mut().find(ours) {
                reservation.used = entry.context.usage.reserved();
            }
        }
    }

    /// Adds a context that a device has just agreed on with the gateway (EDHOC). It may be used at once. Its first
    /// reservation must be stored together with the context, in one step: see
    /// [`Agreed`](crate::edhoc::Agreed).
    ///
    /// # Errors
    /// See [`AddError`].
    pub fn add_agreed(
        &mut self,
        principal: Arc<str>,
        parameters: &Parameters,
    ) -> Result<ContextId, AddError> {
        let kid = parameters.recipient_id;
        self.insert(kid, principal, None, || Context::agreed(parameters))
    }

    fn insert(
        &mut self,
        kid: Identifier,
        principal: Arc<str>,
        expires: Option<Instant>,
        context: impl FnOnce() -> Result<Context, ParametersError>,
    ) -> Result<ContextId, AddError> {
        if let Some(entry) = self.by_kid.get(&kid) {
            let principal = entry.principal.clone();
            return Err(AddError::KidTaken { kid, principal });
        }
        if self.by_kid.len() >= self.most {
            return Err(AddError::Full(self.most));
        }
        let id = ContextId(self.next_id);
        let mut entry = Entry {
            id,
            principal,
            expires,
            context: context()?,
        };
        self.next_id += 1;
        self.reservations.extend(entry.reservation(kid));
        self.by_kid.insert(kid, entry);
        Ok(id)
    }

    /// Removes the context with this `kid`, and wipes its keys. Its requests in progress get no response. Never add its
    /// master secret again.
    pub fn remove(&mut self, kid: Identifier) -> bool {
        self.reservations
            .retain(|reservation| reservation.kid != kid);
        self.by_kid.remove(&kid).is_some()
    }

    /// The device with this `kid`.
    #[must_use]
    pub fn principal(&self, kid: Identifier) -> Option<&Arc<str>> {
        self.by_kid.get(&kid).map(|entry| &entry.principal)
    }

    /// Number of contexts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_kid.len()
    }

    /// Whether there is no context.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_kid.is_empty()
    }

    /// The next reservation to store. Poll after [`add`](Self::add) and after each turn of the endpoint. Each is
    /// returned once: repeat a write that fails.
    pub fn poll_reservation(&mut self) -> Option<Reservation> {
        let next = self.reservations.pop_front();
        if next.is_none() {
            // At the start there is one for each context; later hardly two at a time.
            self.reservations.shrink_to(16);
        }
        next
    }

    /// Whether the context of a reservation is still there. That of a removed one must not be stored any more: it would
    /// take the place of another context's.
    #[must_use]
    pub fn is_current(&self, reservation: &Reservation) -> bool {
        let entry = self.by_kid.get(&reservation.kid);
        entry.is_some_and(|entry| entry.id == reservation.context)
    }

    /// A reservation is stored, and survives a power cut.
    pub fn reserved(&mut self, reservation: &Reservation) {
        if let Some(entry) = self.entry(reservation.kid, reservation.context) {
            entry.context.reserved(reservation.end);
        }
    }

    /// The last refused request since the last call: its device, if its `kid` names one, and the reason. That is not
    /// proof that the device has sent it.
    pub fn take_refusal(&mut self) -> Option<(Option<Arc<str>>, Refusal)> {
        self.latest_refusal.take()
    }

    fn entry(&mut self, kid: Identifier, id: ContextId) -> Option<&mut Entry> {
        self.by_kid.get_mut(&kid).filter(|entry| entry.id == id)
    }

    /// Verifies a request and replaces it by the request inside (RFC 8613 §8.2); none if it is not protected.
    ///
    /// # Errors
    /// The reason, and the response to send.
    pub fn unprotect(
        &mut self,
        now: Instant,
        request: &mut Message,
    ) -> Result<Option<Verified>, Refused> {
        let Some(option) = RequestOption::read(request) else {
            return Ok(None);
        };
        let mut principal = None;
        let verified = option
            .map_err(Refused::from)
            .and_then(|option| {
                self.find(now, &option, &mut principal)
                    .map(|kid| (kid, option.request))
            })
            .and_then(|(kid, id)| {
                let Some(entry) = self.by_kid.get_mut(&kid) else {
                    return Err(Refusal::UnknownContext.into());
                };
                check_outer(request, |target| {
                    (self.allows_outer_proxy)(&entry.principal, target)
                })?;
                let binding = entry.context.unprotect_request(id, request);
                self.reservations.extend(entry.reservation(kid));
                Ok(Verified {
                    context: entry.id,
                    principal: entry.principal.clone(),
                    binding: binding?,
                })
            });
        if let Err(refused) = &verified {
            self.latest_refusal = Some((principal, refused.reason));
        }
        verified.map(Some)
    }

    /// The `kid` of the context that an option names.
    fn find(
        &self,
        now: Instant,
        option: &RequestOption<'_>,
        principal: &mut Option<Arc<str>>,
    ) -> Result<Identifier, Refused> {
        let kid = option.request.kid;
        let entry = self.by_kid.get(&kid).ok_or(Refusal::UnknownContext)?;
        let own = entry.context.keys.id_context.as_ref();
        let is_other = |named: &[u8]| own.is_none_or(|own| own.as_bytes() != named);
        if option.kid_context.is_some_and(is_other) {
            return Err(Refusal::UnknownContext.into());
        }
        *principal = Some(entry.principal.clone());
        match entry.expires.is_some_and(|expires| expires <= now) {
            true => return Err(Refusal::Expired.into()),
            false => entry.context.usage.check().map_err(Refusal::from)?,
        }
        Ok(kid)
    }

    /// Replaces a response or notification to a verified request by its protected form (RFC 8613 §8.3).
    ///
    /// # Errors
    /// See [`CannotProtect`]. The message has not changed then, and must not leave.
    pub fn protect(
        &mut self,
        now: Instant,
        verified: &Verified,
        reply: Reply,
        response: &mut Message,
    ) -> Result<(), CannotProtect> {
        let kid = verified.binding.request.kid;
        let entry = self
            .entry(kid, verified.context)
            .filter(|entry| entry.expires.is_none_or(|expires| now < expires))
            .ok_or(CannotProtect::NoContext)?;
        let protected = entry
            .context
            .protect_response(&verified.binding, reply, response);
        let reservation = entry.reservation(kid);
        self.reservations.extend(reservation);
        protected
    }

    /// Bytes that an entry of the table takes, without what the names of the device and an ID Context take.
    #[cfg(test)]
    pub(super) const ENTRY_BYTES: usize =
        size_of::<(Identifier, Entry)>() + size_of::<Reservation>();
}
