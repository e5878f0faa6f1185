//! The event loop's part in responses: it sends them, and carries out their side effects.

use std::time::Instant;

use crate::dispatcher::Dispatcher;
use crate::request::{ObserveRequest, Response, SideEffect, without_observation};
use coap::{ExchangeId, Message};

impl Dispatcher<'_> {
    /// Sends a response, and carries out its side effect.
    pub(crate) fn respond(&mut self, id: ExchangeId, response: Response) {
        let now = Instant::now();
        let mut message = response.message;
        match response.side_effect {
            None => self.endpoint.respond(now, id, message),
            Some(SideEffect::LoggedOut(account)) => {
                self.endpoint.respond(now, id, message);
                self.observations.on_logout(&account);
            }
            // The observation would end with the gateway, without a last notification.
            Some(SideEffect::Observation(_) | SideEffect::StatusObservation(_))
                if self.draining =>
            {
                message = without_observation(message);
                self.endpoint.respond(now, id, message);
            }
            Some(SideEffect::StatusObservation(request)) => {
                self.observe_status(now, id, message, *request)
            }
            Some(SideEffect::Observation(registration)) if registration.is_feed() => {
                self.begin_feed(now, id, message, *registration);
            }
            Some(SideEffect::Observation(registration)) => {
                let renewed = self.endpoint.renews(id);
                let prepared =
                    self.observations
                        .prepare(&self.snapshot, now, *registration, renewed);
                let Some(prepared) = prepared else {
                    message = without_observation(message);
                    return self.endpoint.respond(now, id, message);
                };
                let renewed =
                    renewed.filter(|renewed| self.observations.can_renew(*renewed, &prepared));
                if let Some(last) =
                    renewed.and_then(|renewed| self.observations.last_message(renewed))
                {
                    message = last;
                    self.gateway.set_entity_tag(&mut message);
                }
                self.observations.set_max_age(&mut message);
                let begun = self
                    .endpoint
                    .respond_observing(now, id, message.clone(), renewed);
                self.observations.start(now, begun, prepared, message);
            }
        }
    }

    fn begin_feed(
        &mut self,
        now: Instant,
        id: ExchangeId,
        mut message: Message,
        registration: ObserveRequest,
    ) {
        let replaced = self.endpoint.renews(id);
        let snapshot = &self.snapshot;
        let prepared = self
            .observations
            .prepare_feed(snapshot, now, registration, replaced);
        let Some(prepared) = prepared else {
            let message = without_observation(message);
            return self.endpoint.respond(now, id, message);
        };
        self.observations.set_max_age(&mut message);
        let begun = self.endpoint.respond_feeding(now, id, message);
        self.observations.start_feed(now, begun, prepared);
    }
}
