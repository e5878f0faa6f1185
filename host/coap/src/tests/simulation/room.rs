//! A room that is observed: it counts its messages, and notifies each observer of one after the other. The next
//! notification follows when the last has been acknowledged.

use std::collections::{BTreeMap, VecDeque};

use super::*;
use crate::{Incoming, ObservationId, ObserveEvent};

/// One observation.
struct Observer {
    peer: u16,
    /// The message notified last, delivered or under way.
    notified: u32,
    waiting: VecDeque<u32>,
    is_sending: bool,
}

/// A message that a device has acknowledged.
pub(super) struct Delivered {
    pub(super) peer: u16,
    pub(super) number: u32,
}

/// Counts its messages from 1.
#[derive(Default)]
pub(super) struct Room {
    number: u32,
    observers: BTreeMap<ObservationId, Observer>,
    /// Observations that went on when their device asked again.
    pub(super) renewed: u64,
    /// Those that ended otherwise than by the device's request.
    pub(super) given_up: u64,
}

impl Room {
    /// A message comes.
    pub(super) fn speak(&mut self) {
        self.number += 1;
        for observer in self.observers.values_mut() {
            observer.waiting.push_back(self.number);
        }
    }

    pub(super) fn is_observed(&self) -> bool {
        !self.observers.is_empty()
    }

    /// A request for the room, with or without Observe.
    pub(super) fn response(&mut self, server: &mut Server, incoming: &Incoming<u16>) {
        let (id, now) = (incoming.id, server.now);
        if !incoming.request.observes {
            return server.respond(id, message(self.number));
        }
        let renewed = server.endpoint.renews(id);
        let observer = renewed.and_then(|renewed| self.observers.get(&renewed));
        let notified = observer.map_or(self.number, |observer| observer.notified);
        self.renewed += u64::from(observer.is_some());
        let response = message(notified);
        let begun = server
            .endpoint
            .respond_observing(now, id, response, renewed);
        // There is room for every observer, but none for an address that somebody guesses at (see `verdict`).
        let Some(begun) = begun else {
            return;
        };
        self.observers.entry(begun).or_insert(Observer {
            peer: incoming.request.peer,
            notified,
            waiting: VecDeque::new(),
            is_sending: false,
        });
    }

    /// Takes the endpoint's events, and sends the next notifications. Returns those that the endpoint reports as
    /// delivered.
    pub(super) fn notify(&mut self, server: &mut Server) -> Vec<Delivered> {
        let mut delivered = Vec::new();
        while let Some(event) = server.endpoint.poll_observe_event() {
            match event {
                ObserveEvent::Delivered(id) | ObserveEvent::Unfetched(id) => {
                    if let Some(observer) = self.observers.get_mut(&id) {
                        let (peer, number) = (observer.peer, observer.notified);
                        delivered.push(Delivered { peer, number });
                        observer.is_sending = false;
                    }
                }
                ObserveEvent::Ended(id, why) => {
                    let was_honest = self.observers.remove(&id).is_some();
                    let given_up = why == super::super::super::Ended::Unacknowledged;
                    self.given_up += u64::from(was_honest && given_up);
                }
            }
        }
        for (id, observer) in &mut self.observers {
            if !observer.is_sending
                && let Some(number) = observer.waiting.pop_front()
            {
                (observer.is_sending, observer.notified) = (true, number);
                server.endpoint.notify(server.now, *id, message(number));
            }
        }
        delivered
    }
}

fn message(number: u32) -> Message {
    Message::new(code::CONTENT).with_payload(number.to_be_bytes())
}
