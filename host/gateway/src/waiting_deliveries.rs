//! The event loop's part in deliveries that wait: it begins their attempts, and moves on when they have ended.

use std::time::Instant;

use crate::dispatcher::{Completion, Dispatcher};
use crate::request::{GatewayError, StatusRequest};
use crate::status_observers::Observed;
use coap::{ExchangeId, Message, ObserveEvent};
use contract::DeliveryId;

impl Dispatcher<'_> {
    /// Begins the attempts of deliveries whose turn it is. When the gateway stops it begins none: they wait for the
    /// next start.
    pub(crate) fn deliver(&mut self, now: Instant) {
        let Some(deliveries) = self.gateway.deliveries().filter(|_| !self.draining) else {
            return;
        };
        deliveries.handle_timeout(now);
        if let Some(upkeep) = deliveries.upkeep(now) {
            self.pending.push(Box::pin(async move {
                upkeep.await;
                Completion::Delivery
            }));
        }
        let ended = deliveries.take_ended();
        while let Some(work) = deliveries.next_work() {
            self.pending.push(Box::pin(async move {
                work.await;
                Completion::Delivery
            }));
        }
        ended.into_iter().for_each(|id| self.notify_status(id));
    }

    /// The first response to a device that observes what becomes of a message.
    pub(crate) fn observe_status(
        &mut self,
        now: Instant,
        id: ExchangeId,
        message: Message,
        request: StatusRequest,
    ) {
        let renewed = self.endpoint.renews(id);
        let begun = self.endpoint.respond_observing(now, id, message, renewed);
        let (Some(begun), Some(deliveries)) = (begun, self.gateway.deliveries()) else {
            return;
        };
        let delivery = request.id;
        self.status_observers.insert(begun, request);
        // It may have ended between the look into the store and now.
        if deliveries.has_ended(delivery) {
            self.notify_status(delivery);
        }
    }

    /// Passes an event of the endpoint on to whom it concerns.
    pub(crate) fn on_observe_event(&mut self, event: ObserveEvent) {
        let now = Instant::now();
        match self.status_observers.on_event(&event) {
            Observed::Other => self.observations.on_observe_event(now, event),
            Observed::Nothing => {}
            Observed::Over(id) => self.endpoint.end_observation(now, id),
        }
    }

    /// Notifies the observers of a message that has ended.
    fn notify_status(&mut self, delivery: DeliveryId) {
        for (id, request) in self.status_observers.take(delivery) {
            let Some(deliveries) = self.gateway.deliveries().cloned() else {
                return;
            };
            self.pending.push(Box::pin(async move {
                let id_text = delivery.to_string();
                let found = deliveries.status(&request.device, &id_text);
                let message = match found.await {
                    Ok(Some((_, status))) => status.message(request.format),
                    Ok(None) => GatewayError::NoSuchMessage.response(),
                    Err(_) => GatewayError::Busy.response(),
                };
                Completion::Status(id, message)
            }));
        }
    }

    /// When deliveries need a turn.
    pub(crate) fn next_delivery(&self) -> Option<Instant> {
        let deliveries = self.gateway.deliveries().filter(|_| !self.draining)?;
        let times = [deliveries.next_timeout(), deliveries.next_upkeep()];
        times.into_iter().flatten().min()
    }
}
