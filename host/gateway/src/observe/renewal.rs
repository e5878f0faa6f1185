//! A device that asks again with the token of its observation (RFC 7641 §4.1): it has heard nothing for long, or wants to be
//! sure. Its observation goes on, and nothing that waits for it is lost.

use std::time::Instant;

use super::broker::ObserveBroker;
use super::registration::Prepared;
use crate::request::ObserveRequest;
use coap::{self, ObservationId};

impl ObserveBroker {
    /// Whether an observation goes on with this request: it waits for the same as before. One of which nothing is kept and
    /// for which nothing waits begins anew, which is the same to its device.
    #[must_use]
    pub fn goes_on(&self, id: ObservationId, prepared: &Prepared) -> bool {
        self.observers.get(&id).is_some_and(|observer| {
            let waits_for_the_same = observer.poll == prepared.poll
                && observer.topic == prepared.registration.watch.topic;
            waits_for_the_same && !(observer.last.is_none() && observer.is_idle())
        })
    }

    /// What the device is answered instead of what its request has found: the message that it was told last. Others may have
    /// come since then, of which what was found is only the newest; they follow in their order.
    #[must_use]
    pub fn told_last(&self, id: ObservationId) -> Option<coap::Message> {
        let observer = self.observers.get(&id)?;
        let message = observer.last.as_ref()?.message(&observer.context).ok()?;
        (coap::code::class(message.code) == 2).then_some(message)
    }

    /// The observation goes on, as the request wants it.
    pub(super) fn renew(&mut self, now: Instant, id: ObservationId, registration: ObserveRequest) {
        let refresh_at = now + self.limits.refresh;
        let Some(observer) = self.observers.get_mut(&id) else {
            return;
        };
        observer.context = registration.context;
        observer.device = registration.device;
        observer.path = registration.path;
        let before = std::mem::replace(&mut observer.refresh_at, refresh_at);
        self.refreshes.remove(&(before, id));
        self.refreshes.insert((refresh_at, id));
    }
}
