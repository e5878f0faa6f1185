//! The list of observers (RFC 7641 §4.1): entries by peer and token, delivery of their notifications, sequence numbers.

use std::collections::{BTreeSet, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::cache_key::BodyKey;
use crate::exchange::RequestMeta;
use crate::limits::Limits;
use crate::message::Token;
use crate::observation::{Fetch, Observation, ObservationId, ObserveEvent};
use crate::peer::{Map, Peer};
use share::{Amount, Bounds, Refused, Shares};

/// How long the next notification waits for the request of another block of this one. Several stacks never ask for the
/// rest; one that does asks at once, and again after 2 to 3 s, and 4 to 6 s.
const FETCH_IDLE: Duration = Duration::from_secs(10);

/// All observations of one endpoint.
pub(super) struct Observations<P, C> {
    pub(super) by_id: Map<ObservationId, Observation<P, C>>,
    pub(super) by_peer: Map<Peer<P>, Vec<ObservationId>>,
    /// Those of peers whose address is not proven.
    pub(super) unproven: BTreeSet<ObservationId>,
    /// The same by holder.
    pub(super) unproven_of: BTreeSet<(u64, ObservationId)>,
    next_id: u64,
    events: VecDeque<ObserveEvent>,
    /// Deadlines of [`Fetch::Until`].
    fetches: BTreeSet<(Instant, ObservationId)>,
    /// [`Limits::body_idle`].
    body_idle: Duration,
    pub(super) shares: Shares,
    pub(super) limit_per_peer: usize,
    refused_by_share: u64,
}

/// Each host may have an eighth of all observations, and at least those of one peer.
fn bounds(limits: &Limits) -> Bounds {
    Bounds::of_pieces(limits.observations).at_least(limits.observations_per_peer)
}

impl<P: Clone + Eq + Hash, C> Observations<P, C> {
    /// An observation with its entries in both maps and the sets, which have twice the room after they have grown.
    pub(super) const PIECE: Amount =
        Amount::piece(2 * (size_of::<Observation<P, C>>() + size_of::<Peer<P>>()) + 192);

    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            by_id: Map::default(),
            by_peer: Map::default(),
            unproven: BTreeSet::new(),
            unproven_of: BTreeSet::new(),
            next_id: 0,
            events: VecDeque::new(),
            fetches: BTreeSet::new(),
            body_idle: limits.body_idle,
            shares: Shares::new(bounds(limits)),
            limit_per_peer: limits.observations_per_peer,
            refused_by_share: 0,
        }
    }

    /// Applies other limits to new observations.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.shares.set_bounds(bounds(limits));
        self.limit_per_peer = limits.observations_per_peer;
    }

    /// Begins an observation; none if a limit is reached.
    pub(super) fn begin(
        &mut self,
        observation: Observation<P, C>,
        is_proven: bool,
    ) -> Option<ObservationId> {
        let of_peer = self.by_peer.get(&observation.peer).map_or(0, Vec::len);
        if of_peer >= self.limit_per_peer {
            return None;
        }
        let owner = observation.peer.owner;
        if let Err(refused) = self.shares.take(owner, Self::PIECE) {
            self.refused_by_share += u64::from(refused != Refused::InAll);
            return None;
        }
        let id = ObservationId(self.next_id);
        self.next_id += 1;
        if !is_proven {
            self.unproven.insert(id);
            self.unproven_of.insert((owner.holder(), id));
        }
        self.by_peer
            .entry(observation.peer.clone())
            .or_default()
            .push(id);
        self.by_id.insert(id, observation);
        Some(id)
    }

    pub(super) fn get(&self, id: ObservationId) -> Option<&Observation<P, C>> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ObservationId) -> Option<&mut Observation<P, C>> {
        self.by_id.get_mut(&id)
    }

    /// The observation that the token of a request names, in its security association.
    pub(super) fn find_of(&self, meta: &RequestMeta<P, C>) -> Option<ObservationId> {
        self.of_peer(&meta.peer, |one| {
            one.token == meta.token && one.association == meta.association
        })
    }

    /// The observation whose last non-confirmable notification had this message ID.
    pub(super) fn find_non(&self, peer: &Peer<P>, message_id: u16) -> Option<ObservationId> {
        self.of_peer(peer, |observation| observation.last_non == Some(message_id))
    }

    fn of_peer(
        &self,
        peer: &Peer<P>,
        is_it: impl Fn(&Observation<P, C>) -> bool,
    ) -> Option<ObservationId> {
        let ids = self.by_peer.get(peer)?.iter().copied();
        ids.into_iter()
            .find(|id| self.by_id.get(id).is_some_and(&is_it))
    }

    /// The observations of a peer.
    pub(super) fn ids_of(&self, peer: &Peer<P>) -> Vec<ObservationId> {
        self.by_peer.get(peer).cloned().unwrap_or_default()
    }

    /// Removes an observation; none if it has ended before.
    pub(super) fn remove(&mut self, id: ObservationId) -> Option<Observation<P, C>> {
        let observation = self.by_id.remove(&id)?;
        let owner = observation.peer.owner;
        self.shares.give_back(owner, Self::PIECE);
        self.unproven.remove(&id);
        self.unproven_of.remove(&(owner.holder(), id));
        if let Fetch::Until(until) = observation.fetch {
            self.fetches.remove(&(until, id));
        }
        if let Some(ids) = self.by_peer.get_mut(&observation.peer) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_peer.remove(&observation.peer);
            }
        }
        Some(observation)
    }

    /// Queues an event for the caller.
    pub(super) fn push_event(&mut self, event: ObserveEvent) {
        self.events.push_back(event);
    }

    pub(super) fn poll_event(&mut self) -> Option<ObserveEvent> {
        self.events.pop_front()
    }

    /// The observer has received a notification, or its first block.
    pub(super) fn on_received(&mut self, now: Instant, id: ObservationId) {
        match self.by_id.get_mut(&id) {
            Some(observation) if observation.fetch != Fetch::Done => {
                let idle = match observation.is_whole {
                    true => self.body_idle,
                    false => FETCH_IDLE,
                };
                let until = now + idle;
                observation.fetch = Fetch::Until(until);
                self.fetches.insert((until, id));
            }
            Some(_) => self.push_event(ObserveEvent::Delivered(id)),
            None => {}
        }
    }

    /// A peer has got another block of a body, which has this ETag. Returns whether it was the last one of a
    /// notification.
    pub(super) fn on_fetched(
        &mut self,
        now: Instant,
        (body, tag): (&BodyKey<P>, Option<&[u8]>),
        is_last: bool,
    ) -> bool {
        let mut of_notification = false;
        for id in self.ids_of(&body.0) {
            let Some(observation) = self.by_id.get_mut(&id) else {
                continue;
            };
            let is_other = observation.is_whole && tag != Some(observation.tag.as_slice());
            if observation.response_key.body != *body
                || observation.fetch == Fetch::Done
                || is_other
            {
                continue;
            }
            of_notification = is_last;
            let before = observation.fetch;
            if is_last {
                observation.fetch = Fetch::Done;
            }
            if let Fetch::Until(until) = before {
                self.fetches.remove(&(until, id));
                self.on_received(now, id);
            }
        }
        of_notification
    }

    /// A peer has requested the resource anew, and not another block: it does not fetch the rest of the notification.
    /// `registering`: the token of an observation that the request may replace, which then needs no event.
    pub(super) fn on_requested(&mut self, body: &BodyKey<P>, registering: Option<Token>) {
        for id in self.ids_of(&body.0) {
            let Some(observation) = self.by_id.get_mut(&id) else {
                continue;
            };
            if observation.response_key.body != *body
                || (observation.is_whole && registering == Some(observation.token))
            {
                continue;
            }
            match observation.fetch {
                Fetch::Until(until) => {
                    self.fetches.remove(&(until, id));
                }
                // The response takes the place of the blocks that were announced.
                Fetch::Announced if observation.is_whole => {}
                Fetch::Announced | Fetch::Done => continue,
            }
            observation.fetch = Fetch::Done;
            let event = observation.stopped(id);
            self.push_event(event);
        }
    }

    /// The observations of a body's resource and peer whose messages must be whole.
    pub(super) fn feeds_of(&self, body: &BodyKey<P>) -> Vec<ObservationId> {
        let is_one = |observation: &Observation<P, C>| {
            observation.is_whole && observation.response_key.body == *body
        };
        let ids = self.by_peer.get(&body.0).into_iter().flatten().copied();
        ids.filter(|id| self.by_id.get(id).is_some_and(is_one))
            .collect()
    }

    /// Counts notifications as delivered whose observers have stopped fetching, unless they must be whole.
    pub(super) fn expire_fetches(&mut self, now: Instant) {
        while let Some((until, id)) = self.fetches.first().copied().filter(|(at, _)| *at <= now) {
            self.fetches.remove(&(until, id));
            if let Some(observation) = self.by_id.get_mut(&id) {
                observation.fetch = Fetch::Done;
                let event = observation.stopped(id);
                self.push_event(event);
            }
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.fetches.first().map(|(until, _)| *until)
    }

    /// The next sequence number of an observation (RFC 7641 §4.4), 24 bits. Each counts for itself, so that the first
    /// 255 notifications need one byte. A client takes a number for newer that is less than 2^23 ahead of one of the
    /// last 128 s.
    pub(super) fn next_sequence(&mut self, id: ObservationId) -> u32 {
        let Some(observation) = self.by_id.get_mut(&id) else {
            return 0;
        };
        observation.sequence = (observation.sequence + 1) & 0x00ff_ffff;
        observation.sequence
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Observations that did not begin because their host had its share.
    pub(super) fn refused_by_share(&self) -> u64 {
        self.refused_by_share
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// The peer of each observation.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.by_peer.keys()
    }
}
