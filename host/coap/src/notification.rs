//! Notifications (RFC 7641 §4.2 to §4.5), their acknowledgements, and the end of observations.

use std::time::Instant;

use crate::code;
use crate::codec;
use crate::endpoint::Endpoint;
use crate::feeding::{has_more, tag_of};
use crate::message::{Datagram, Message, MessageType};
use crate::observation::{Ended, Fetch, Observation, ObservationId, ObserveEvent};
use crate::option::OBSERVE;
use crate::outbound::Purpose;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::{MessageProtection, Reply};

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Sends a notification; false if the observation has ended. A message that is no success is the last one
    /// (RFC 7641 §4.2): the observation ends without an event. Wait for [`ObserveEvent::Delivered`] of
    /// [`poll_observe_event`](Self::poll_observe_event) before the next notification (§4.5.1).
    pub fn notify(&mut self, now: Instant, id: ObservationId, message: Message) -> bool {
        let Some(observation) = self.observations.get_mut(id) else {
            return false;
        };
        let (peer, token) = (observation.peer.clone(), observation.token);
        let (response_key, block2) = (observation.response_key.clone(), observation.block2);
        let protection = observation.protection.clone();
        let is_last = code::class(message.code) != 2;
        let confirmable = is_last || self.must_confirm(now, id);

        let message = self.sendable(message);
        let wanted = self.wanted(now, &peer, block2);
        let mut message = self.in_blocks(now, response_key, wanted, message);
        if is_last {
            message.remove_option(OBSERVE);
        } else {
            message.set_uint_option(OBSERVE, self.observations.next_sequence(id));
        }
        let has_more = has_more(&message);
        if let Some(observation) = self.observations.get_mut(id) {
            if has_more {
                if observation.is_whole {
                    observation.tag = tag_of(&message);
                }
                observation.fetch = Fetch::Announced;
            }
            observation.notified_at = Some(now);
            if observation.confirmed_at.is_none() && protection.is_none() {
                self.ping_unless_proven(now, &peer);
            }
        }
        if let Some(context) = &protection {
            let reply = Reply::Notification;
            let protected = self
                .protection
                .protect(now, &peer.id, context, reply, &mut message);
            if protected.is_err() {
                self.end(now, id, Ended::Unprotectable);
                return false;
            }
        }
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: 0,
            token,
            message,
        };
        if is_last {
            let unsent = self
                .reliability
                .cancel(now, &peer, Purpose::Notification(id));
            self.proceed(now, &peer, unsent);
            if let Some(observation) = self.observations.remove(id) {
                self.remember_number(now, &observation);
            }
            let outcome = self
                .reliability
                .send(now, &peer, datagram, Purpose::Response);
            self.proceed(now, &peer, outcome);
        } else if confirmable {
            let purpose = Purpose::Notification(id);
            let outcome = self.reliability.send(now, &peer, datagram, purpose);
            self.proceed(now, &peer, outcome);
        } else {
            self.notify_non_confirmable(now, id, &peer, datagram);
        }
        self.counters.notifications += 1;
        self.collect_counters();
        true
    }

    /// Whether a notification must be confirmable: all of them by default; else the first, then one a day (RFC 7641
    /// §4.5), and one that follows another too closely while the round-trip time is unknown (§4.5.1).
    fn must_confirm(&mut self, now: Instant, id: ObservationId) -> bool {
        let limits = &self.limits;
        let Some(observation) = self.observations.get_mut(id) else {
            return true;
        };
        let within = |since: Option<Instant>, time| since.is_some_and(|since| now < since + time);
        !limits.non_confirmable_notifications
            || observation.is_whole
            || !within(observation.confirmed_at, limits.confirm_interval)
            || within(observation.notified_at, limits.notification_interval)
    }

    fn notify_non_confirmable(
        &mut self,
        now: Instant,
        id: ObservationId,
        peer: &Peer<P>,
        datagram: Datagram,
    ) {
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
        self.observations.on_received(now, id);
    }

    /// The next event of an observation.
    pub fn poll_observe_event(&mut self) -> Option<ObserveEvent> {
        self.observations.poll_event()
    }

    /// The number of observations.
    pub fn observations(&self) -> usize {
        self.observations.len()
    }

    pub(super) fn on_notification_acknowledged(&mut self, now: Instant, id: ObservationId) {
        if let Some(observation) = self.observations.get_mut(id) {
            observation.confirmed_at = Some(now);
            self.observations.on_received(now, id);
        }
    }

    /// Ends the observations of a peer that did not respond to a ping. One whose address was proven before goes on: a
    /// forged request, while the device is out of reach for a minute, would end it otherwise.
    pub(super) fn end_unproven(&mut self, now: Instant, peer: &Peer<P>) {
        for id in self.observations.unproven_of(peer) {
            self.end(now, id, Ended::Unacknowledged);
        }
    }

    /// The client may not learn that this observation has ended. That of an unproven peer may be forged.
    fn remember_number(&mut self, now: Instant, ended: &Observation<P, X::Context>) {
        if self.is_peer_proven(now, &ended.peer) {
            self.last_numbers
                .push(ended.peer.hash, ended.token, ended.sequence);
        }
    }

    /// Ends an observation whose resource does not change any more, without a message: the observer has been notified
    /// of its last state, and a server may remove an observer at any time.
    pub fn end_observation(&mut self, now: Instant, id: ObservationId) {
        self.end(now, id, Ended::Finished);
    }

    /// The session of a peer has ended, and it can get no more messages: its observations end. Its exchanges go on, and
    /// their responses are for the caller to drop.
    pub fn forget(&mut self, now: Instant, peer: &P) {
        let peer = self.peer(peer.clone());
        for id in self.observations.ids_of(&peer) {
            self.end(now, id, Ended::SessionEnded);
        }
    }

    /// Ends an observation, and drops the notifications that wait to be sent.
    pub(super) fn end(&mut self, now: Instant, id: ObservationId, reason: Ended) {
        let Some(observation) = self.observations.remove(id) else {
            return;
        };
        if matches!(reason, Ended::Unacknowledged | Ended::WithoutMessageId) {
            self.remember_number(now, &observation);
        }
        let outcome = self
            .reliability
            .cancel(now, &observation.peer, Purpose::Notification(id));
        if reason == Ended::Displaced {
            // Otherwise a flood of spoofed registrations would leave a ping each.
            self.drop_idle_ping(&observation.peer);
        }
        self.observations
            .push_event(ObserveEvent::Ended(id, reason));
        self.proceed(now, &observation.peer, outcome);
    }
}
