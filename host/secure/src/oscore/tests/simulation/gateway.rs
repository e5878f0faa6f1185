//! The gateway: an endpoint with contexts, and a store.

use std::collections::HashSet;

use coap::option::URI_QUERY;
use coap::{Datagram, Endpoint, Limits, Message, ObservationId, code, decode, encode};

use super::super::*;
use super::random::Random;
use super::store::Store;

/// The device's address.
const DEVICE: u16 = 1;

pub(super) struct Gateway {
    parameters: Parameters,
    /// Whether the context is agreed on (EDHOC): then the store gets it together with its first reservation.
    is_agreed: bool,
    endpoint: Endpoint<u16, Contexts>,
    store: Store,
    observation: Option<ObservationId>,
    /// Numbers of requests, of all time.
    pub(super) accepted: HashSet<u64>,
    pub(super) restarts: usize,
}

fn endpoint(
    parameters: &Parameters,
    stored_end: Option<u64>,
    random: &mut Random,
) -> Endpoint<u16, Contexts> {
    let mut contexts = Contexts::new(1);
    let added = match stored_end {
        Some(stored_end) => contexts.add("kitchen".into(), parameters, stored_end, None),
        None => contexts.add_agreed("kitchen".into(), parameters),
    };
    added.expect("valid parameters");
    Endpoint::with_protection(Limits::default(), random.bytes(), contexts)
}

impl Gateway {
    pub(super) fn new(parameters: Parameters, is_agreed: bool, random: &mut Random) -> Self {
        let stored_end = (!is_agreed).then_some(0);
        Self {
            endpoint: endpoint(&parameters, stored_end, random),
            parameters,
            is_agreed,
            store: Store::default(),
            observation: None,
            accepted: HashSet::new(),
            restarts: 0,
        }
    }

    /// The power fails: a write in progress is done or not, and the gateway starts with what the store has. Whether it
    /// has the context.
    pub(super) fn restart(&mut self, random: &mut Random) -> bool {
        self.store.cut(random);
        self.observation = None;
        self.restarts += 1;
        let is_there = !self.is_agreed || self.stored_end() > 0;
        if is_there {
            self.endpoint = endpoint(&self.parameters, Some(self.stored_end()), random);
        }
        is_there
    }

    /// The device and the gateway agree on another context.
    pub(super) fn agree(&mut self, parameters: Parameters, random: &mut Random) {
        self.endpoint = endpoint(&parameters, None, random);
        self.parameters = parameters;
        self.store.forget(self.parameters.recipient_id);
    }

    fn stored_end(&self) -> u64 {
        self.store.end(self.parameters.recipient_id)
    }

    /// The store finishes a write.
    pub(super) fn write(&mut self) {
        self.store.write();
    }

    /// The gateway learns of a finished write.
    pub(super) fn confirm(&mut self) {
        self.store.confirm(self.endpoint.protection_mut());
    }

    pub(super) fn take(&mut self, now: Instant, datagram: &Datagram) {
        self.endpoint
            .handle_datagram(now, DEVICE, &encode(datagram));
    }

    pub(super) fn notify(&mut self, now: Instant) {
        if let Some(id) = self.observation
            && !self.endpoint.notify(now, id, time())
        {
            self.observation = None;
        }
    }

    /// What leaves now.
    pub(super) fn turn(&mut self, now: Instant) -> Vec<Datagram> {
        self.endpoint.handle_timeout(now);
        while let Some(incoming) = self.endpoint.poll_request() {
            let verified = incoming.protection.expect("only protected ones are sent");
            assert_eq!(&*verified.principal, "kitchen");
            let query = incoming
                .request
                .message
                .option(URI_QUERY)
                .expect("its number");
            let number = std::str::from_utf8(query)
                .ok()
                .and_then(|text| text.parse().ok());
            let is_new = self.accepted.insert(number.expect("its number"));
            assert!(is_new, "request {number:?} was accepted twice");
            if incoming.request.observes {
                let begun = self
                    .endpoint
                    .respond_observing(now, incoming.id, time(), None);
                self.observation = begun;
            } else {
                self.endpoint.respond(now, incoming.id, time());
            }
        }
        while self.endpoint.poll_observe_event().is_some() {}
        self.store.ask(self.endpoint.protection_mut());
        std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|transmit| decode(&transmit.bytes).expect("own messages are valid"))
            .collect()
    }
}

fn time() -> Message {
    Message::new(code::CONTENT).with_payload("12:00")
}
