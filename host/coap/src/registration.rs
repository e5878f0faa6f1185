//! Requests for observations (RFC 7641 §4.1): registration, renewal, replacement and deregistration.

use std::time::Instant;

use crate::code;
use crate::endpoint::Endpoint;
use crate::exchange::{Exchange, ExchangeId, RequestMeta};
use crate::message::Message;
use crate::observation::{Begun, Ended, Fetch, Observation, ObservationId};
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// The observation that this request may renew: it asks for an observation, and its token names one
    /// (RFC 7641 §4.1).
    pub fn renews(&self, id: ExchangeId) -> Option<ObservationId> {
        let exchange = self
            .exchanges
            .get(id)
            .filter(|exchange| exchange.observes)?;
        self.observations.find_of(&exchange.meta)
    }

    /// Responds to a request for an observation ([`Incoming::observes`](crate::Incoming)), and begins the observation,
    /// or continues `renewed`, which the request [`renews`](Self::renews). None if the response is no success or a
    /// limit is reached: then the response leaves without Observe (RFC 7641 §4.1).
    pub fn respond_observing(
        &mut self,
        now: Instant,
        id: ExchangeId,
        response: Message,
        renewed: Option<ObservationId>,
    ) -> Option<ObservationId> {
        if self.is_held(id) {
            return None;
        }
        let exchange = self.exchanges.finish(id)?;
        let wanted = exchange.observes && code::class(response.code) == 2;
        let renewed = renewed.and_then(|renewed| self.observations.get_mut(renewed));
        let begun = match renewed.filter(|_| wanted) {
            Some(observation) => {
                observation.response_key = exchange.response_key.clone();
                observation.block2 = exchange.block2;
                observation.protection = exchange.meta.protection.clone();
                self.observations.find_of(&exchange.meta)
            }
            None => {
                // The old entry makes room for the new one. Its numbers go on: the client knows them by the same token.
                let sequence = self.end_replaced(now, &exchange);
                if wanted {
                    self.begin_observation(now, &exchange, sequence)
                } else {
                    None
                }
            }
        };
        self.respond_begun(now, id, exchange, response, begun);
        begun
    }

    /// The response to a request for an observation, with the first number of the one that has begun, if it has.
    pub(super) fn respond_begun(
        &mut self,
        now: Instant,
        id: ExchangeId,
        exchange: Exchange<P, X::Context>,
        response: Message,
        begun: Option<ObservationId>,
    ) {
        let peer = exchange.meta.peer.clone();
        let is_protected = exchange.meta.protection.is_some();
        let first = begun.map(|id| Begun {
            id,
            sequence: self.observations.next_sequence(id),
        });
        self.respond_once_proven(now, id, exchange, response, first);
        // Nobody can forge or replay a protected registration. The acknowledgement of its first notification proves the
        // address: libcoap 4.3.4 never responds to a ping in a session with OSCORE.
        if begun.is_some() && !is_protected {
            self.ping_unless_proven(now, &peer);
        }
        self.collect_counters();
    }

    /// Ends the observation that the token of a request with Observe 0 named before, and returns its last sequence
    /// number, or 0. It ends also if the response is an error.
    pub(super) fn end_replaced(&mut self, now: Instant, exchange: &Exchange<P, X::Context>) -> u32 {
        let meta = &exchange.meta;
        let named = self.observations.find_of(meta);
        let Some(replaced) = named.filter(|_| exchange.observes) else {
            return 0;
        };
        let sequence = self
            .observations
            .get(replaced)
            .map_or(0, |one| one.sequence);
        self.end(now, replaced, Ended::Replaced);
        sequence
    }

    pub(super) fn begin_observation(
        &mut self,
        now: Instant,
        exchange: &Exchange<P, X::Context>,
        sequence: u32,
    ) -> Option<ObservationId> {
        let meta = &exchange.meta;
        // Its notifications would wait for a proof that may not come.
        if self.is_blocked(now, &meta.peer) {
            self.counters.observations_refused += 1;
            return None;
        }
        if let Some(oldest) = self.observations.to_displace(&meta.peer) {
            self.counters.observations_displaced += 1;
            self.end(now, oldest, Ended::Displaced);
        }
        let before = self.last_numbers.take(meta.peer.hash, meta.token);
        let observation = Observation {
            peer: meta.peer.clone(),
            token: meta.token,
            response_key: exchange.response_key.clone(),
            block2: exchange.block2,
            protection: meta.protection.clone(),
            association: meta.association,
            sequence: before.unwrap_or(sequence),
            confirmed_at: None,
            notified_at: None,
            last_non: None,
            is_whole: false,
            tag: Vec::new(),
            fetch: Fetch::Done,
        };
        let is_proven = self.is_peer_proven(now, &meta.peer);
        let begun = self.observations.begin(observation, is_proven);
        match begun {
            Some(_) => self.counters.observations += 1,
            None => self.counters.observations_refused += 1,
        }
        begun
    }

    /// Ends the observation of a GET with Observe 1 (RFC 7641 §3.6). The request gets a response like any other.
    pub(super) fn deregister(&mut self, meta: &RequestMeta<P, X::Context>) {
        if let Some(id) = self.observations.find_of(meta) {
            self.end(meta.received_at, id, Ended::Deregistered);
        }
    }
}
