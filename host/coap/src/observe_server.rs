//! What an endpoint does for observations (RFC 7641 §4): registration, notifications, and their end.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::block::Block;
use super::code;
use super::codec;
use super::endpoint::Endpoint;
use super::exchange::{Exchange, ExchangeId, RequestMeta};
use super::message::{Datagram, Message, MessageType};
use super::observer_table::{Ended, Fetch, Observation, ObservationId, ObserveEvent};
use super::option::{BLOCK2, OBSERVE};
use super::peer::Peer;
use super::reliability::Purpose;

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// The observation that the token of this request names, if the request observes: it may go on instead of a new one
    /// (RFC 7641 §4.1).
    pub fn renews(&self, id: ExchangeId) -> Option<ObservationId> {
        let exchange = self
            .exchanges
            .get(id)
            .filter(|exchange| exchange.observes)?;
        let RequestMeta { peer, token, .. } = &exchange.arrival;
        self.observations.find(peer, *token)
    }

    /// DedupCache a request that asked for an observation ([`Incoming::observes`](super::Incoming)), and begins it; or goes on
    /// with `renewed`, which the request [`renews`](Self::renews). None where the response is no success, or a bound is
    /// reached: then the device is answered once (RFC 7641 §4.1).
    pub fn respond_observing(
        &mut self,
        now: Instant,
        id: ExchangeId,
        response: Message,
        renewed: Option<ObservationId>,
    ) -> Option<ObservationId> {
        let exchange = self.exchanges.finish(id)?;
        let wanted = exchange.observes && code::class(response.code) == 2;
        let renewed = renewed.and_then(|renewed| self.observations.get_mut(renewed));
        let begun = match renewed.filter(|_| wanted) {
            Some(observation) => {
                observation.response_key = exchange.response_key;
                observation.block2 = exchange.block2;
                self.observations
                    .find(&exchange.arrival.peer, exchange.arrival.token)
            }
            None => {
                // The old entry makes room for the new one.
                self.replace(now, &exchange);
                if wanted {
                    self.begin(now, &exchange)
                } else {
                    None
                }
            }
        };
        let peer = exchange.arrival.peer;
        self.respond_to(now, exchange, response, begun.is_some());
        if begun.is_some() {
            self.prove_first(now, peer);
        }
        begun
    }

    /// A request with Observe 0 takes the place of what its token observed before, whatever comes of it.
    pub(super) fn replace(&mut self, now: Instant, exchange: &Exchange<P>) {
        if exchange.observes {
            let RequestMeta { peer, token, .. } = exchange.arrival;
            if let Some(former) = self.observations.find(&peer, token) {
                self.end(now, former, Ended::Replaced);
            }
        }
    }

    fn begin(&mut self, now: Instant, exchange: &Exchange<P>) -> Option<ObservationId> {
        let RequestMeta { peer, token, .. } = exchange.arrival;
        if let Some(oldest) = self.observations.to_displace(&peer) {
            self.counters.observations_displaced += 1;
            self.end(now, oldest, Ended::Displaced);
        }
        let observation = Observation {
            peer,
            token,
            response_key: exchange.response_key,
            block2: exchange.block2,
            confirmed_at: None,
            notified_at: None,
            last_non: None,
            fetch: Fetch::Done,
        };
        let is_proven = self.known.is_proven(now, peer.hash);
        let begun = self.observations.begin(observation, is_proven);
        match begun {
            Some(_) => self.counters.observations += 1,
            None => self.counters.observations_refused += 1,
        }
        begun
    }

    /// Sends a notification. A message that is no success is the observation's last (RFC 7641 §4.2): it is over then without
    /// a further word. [`poll_observe_event`](Self::poll_observe_event) tells when the notification has arrived; the next one should
    /// wait for that. False where the observation is over.
    pub fn notify(&mut self, now: Instant, id: ObservationId, message: Message) -> bool {
        let Some(observation) = self.observations.get_mut(id) else {
            return false;
        };
        let (peer, token) = (observation.peer, observation.token);
        let (response_key, block2) = (observation.response_key, observation.block2);
        let is_last = code::class(message.code) != 2;
        let confirmable = is_last || self.must_confirm(now, id);

        let message = self.sendable(message);
        let mut message = self.fitted(now, response_key, block2, message);
        if is_last {
            message.remove_option(OBSERVE);
        } else {
            message.set_uint_option(OBSERVE, self.observations.next_sequence());
        }
        let in_blocks = message.option(BLOCK2).map(Block::decode);
        let in_blocks = in_blocks.is_some_and(|block| block.is_ok_and(|block| block.more));
        if let Some(observation) = self.observations.get_mut(id) {
            if in_blocks {
                observation.fetch = Fetch::Announced;
            }
            observation.notified_at = Some(now);
            if observation.confirmed_at.is_none() {
                self.prove_first(now, peer);
            }
        }
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: 0,
            token,
            message,
        };
        if is_last {
            let unsent = self.reliability.cancel(now, peer, id);
            self.proceed(now, peer, unsent);
            self.observations.remove(id);
            let outcome = self
                .reliability
                .send(now, peer, datagram, Purpose::Response);
            self.proceed(now, peer, outcome);
        } else if confirmable {
            let owner = Purpose::Notification(id);
            let outcome = self.reliability.send(now, peer, datagram, owner);
            self.proceed(now, peer, outcome);
        } else {
            self.notify_once(now, id, peer, datagram);
        }
        self.counters.notifications += 1;
        true
    }

    /// Sends an empty confirmable message, whose RST proves the peer's address (RFC 7252 §4.3): a registration may be
    /// spoofed, and nobody must be sent the messages of a room for that. What follows waits behind it (NSTART).
    fn prove_first(&mut self, now: Instant, peer: Peer<P>) {
        if !self.known.is_proven(now, peer.hash) && !self.reliability.is_proving(&peer) {
            let ping = Datagram::empty(MessageType::Confirmable, 0);
            let outcome = self.reliability.send(now, peer, ping, Purpose::Proof);
            self.proceed(now, peer, outcome);
        }
    }

    /// The peer has answered no proof: nobody is there.
    pub(super) fn is_gone(&mut self, now: Instant, peer: &Peer<P>) {
        for id in self.observations.ids_of(peer) {
            self.end(now, id, Ended::Unacknowledged);
        }
    }

    /// Whether a notification must be confirmable: all of them by default; else the first, then one a day (RFC 7641 §4.5),
    /// and any that follows another too closely for a device of which nothing is known (RFC 7641 §4.5.1).
    fn must_confirm(&mut self, now: Instant, id: ObservationId) -> bool {
        let limits = &self.limits;
        let Some(observation) = self.observations.get_mut(id) else {
            return true;
        };
        let within = |since: Option<Instant>, time| since.is_some_and(|since| now < since + time);
        !limits.non_confirmable_notifications
            || !within(observation.confirmed_at, limits.confirm_interval)
            || within(observation.notified_at, limits.notification_interval)
    }

    fn notify_once(&mut self, now: Instant, id: ObservationId, peer: Peer<P>, datagram: Datagram) {
        let Some(message_id) = self.reliability.message_id(now, peer) else {
            self.counters.message_ids_exhausted += 1;
            return self.end(now, id, Ended::WithoutMessageId);
        };
        if let Some(observation) = self.observations.get_mut(id) {
            observation.last_non = Some(message_id);
        }
        let bytes = codec::encode(&Datagram {
            message_type: MessageType::NonConfirmable,
            message_id,
            ..datagram
        });
        self.transmit(peer, bytes);
        self.observations.arrived(now, id);
    }

    /// The next thing that became of an observation.
    pub fn poll_observe_event(&mut self) -> Option<ObserveEvent> {
        self.observations.poll_event()
    }

    /// How many observations there are.
    pub fn observations(&self) -> usize {
        self.observations.len()
    }

    /// A GET with Observe 1 (RFC 7641 §3.6). It is answered like any other.
    pub(super) fn deregister(&mut self, arrival: &RequestMeta<P>) {
        if let Some(id) = self.observations.find(&arrival.peer, arrival.token) {
            self.end(arrival.at, id, Ended::Deregistered);
        }
    }

    /// A confirmable notification was acknowledged.
    pub(super) fn notification_arrived(&mut self, now: Instant, id: ObservationId) {
        if let Some(observation) = self.observations.get_mut(id) {
            observation.confirmed_at = Some(now);
            self.observations.arrived(now, id);
        }
    }

    /// Ends an observation, and stops what is still under way for it.
    pub(super) fn end(&mut self, now: Instant, id: ObservationId, why: Ended) {
        let Some(observation) = self.observations.remove(id) else {
            return;
        };
        let outcome = self.reliability.cancel(now, observation.peer, id);
        if why == Ended::Displaced && self.observations.ids_of(&observation.peer).is_empty() {
            // Or a flood of spoofed registrations would leave a ping each.
            self.reliability.drop_idle_proof(&observation.peer);
        }
        self.observations.tell(ObserveEvent::Ended(id, why));
        self.proceed(now, observation.peer, outcome);
    }
}
