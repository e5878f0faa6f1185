//! Devices that observe what becomes of a message (RFC 7641). Each gets one notification, when the message has ended;
//! the observation ends with its acknowledgement.

use std::collections::{BTreeMap, HashMap};

use coap::{ObservationId, ObserveEvent};
use contract::DeliveryId;

use crate::request::StatusRequest;

/// The observers. The endpoint bounds their number: `observations`.
#[derive(Default)]
pub(crate) struct StatusObservers {
    observers: HashMap<ObservationId, Observer>,
    by_delivery: BTreeMap<DeliveryId, Vec<ObservationId>>,
}

struct Observer {
    request: StatusRequest,
    is_notified: bool,
}

/// What an event of the endpoint means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// It is of an observer of something else.
    Other,
    /// Nothing is to be done.
    Nothing,
    /// The device has its notification: the observation ends.
    Over(ObservationId),
}

impl StatusObservers {
    pub(crate) fn insert(&mut self, id: ObservationId, request: StatusRequest) {
        self.remove(id);
        self.by_delivery.entry(request.id).or_default().push(id);
        let is_notified = false;
        let observer = Observer {
            request,
            is_notified,
        };
        self.observers.insert(id, observer);
    }

    /// Those of a delivery that has ended, each once.
    pub(crate) fn take(&mut self, delivery: DeliveryId) -> Vec<(ObservationId, StatusRequest)> {
        let ids = self.by_delivery.remove(&delivery).unwrap_or_default();
        let requests = ids.into_iter().filter_map(|id| {
            let observer = self.observers.get_mut(&id)?;
            observer.is_notified = true;
            Some((id, observer.request.clone()))
        });
        requests.collect()
    }

    pub(crate) fn on_event(&mut self, event: &ObserveEvent) -> Observed {
        match *event {
            ObserveEvent::Ended(id, _) if self.remove(id) => Observed::Nothing,
            ObserveEvent::Delivered(id) => match self.observers.get(&id) {
                None => Observed::Other,
                Some(observer) if !observer.is_notified => Observed::Nothing,
                Some(_) => {
                    self.remove(id);
                    Observed::Over(id)
                }
            },
            ObserveEvent::Ended(..) | ObserveEvent::Unfetched(_) => Observed::Other,
        }
    }

    fn remove(&mut self, id: ObservationId) -> bool {
        let Some(observer) = self.observers.remove(&id) else {
            return false;
        };
        if let Some(ids) = self.by_delivery.get_mut(&observer.request.id) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_delivery.remove(&observer.request.id);
            }
        }
        true
    }
}
