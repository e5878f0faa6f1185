//! Who observes (RFC 7641): entries by peer and token, what became of their notifications, and the sequence numbers.

use std::collections::{BTreeSet, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::block::Block;
use super::cache_key::{BodyKey, ResponseKey};
use super::limits::Limits;
use super::message::Token;
use super::peer::{Map, Peer};

/// Names one observation of one endpoint; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObservationId(u64);

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObserveEvent {
    /// The last notification has arrived: the device has acknowledged it. A non-confirmable one counts when it leaves. One in
    /// blocks has arrived when the device has fetched the last of them, or has stopped fetching.
    Delivered(ObservationId),
    /// It is over.
    Ended(ObservationId, Ended),
}

/// Why an observation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// GET with Observe 1 (RFC 7641 §3.6).
    Deregistered,
    /// The device sent another request with the same token (RFC 7641 §4.1).
    Replaced,
    /// The device rejected a notification (RFC 7641 §3.6).
    Reset,
    /// The device never acknowledged a notification (RFC 7641 §4.5).
    Unacknowledged,
    /// There was no message ID for a notification.
    WithoutMessageId,
    /// Another one needed its place, and the device had not proven its address.
    Displaced,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Deregistered => "the device deregistered",
            Self::Replaced => "the device asked anew",
            Self::Reset => "the device rejected a notification",
            Self::Unacknowledged => "the device never acknowledged a notification",
            Self::WithoutMessageId => "too many messages went to the device",
            Self::Displaced => "others needed its place before the device proved its address",
        })
    }
}

/// One entry of the list of observers (RFC 7641 §4.1).
pub(super) struct Observation<P> {
    pub(super) peer: Peer<P>,
    pub(super) token: Token,
    /// Under which a notification's body is stored if it leaves in blocks: the request's.
    pub(super) response_key: ResponseKey<P>,
    /// The size of blocks that the request asked for.
    pub(super) block2: Option<Block>,
    /// When the device last acknowledged something of this observation.
    pub(super) confirmed_at: Option<Instant>,
    /// When the last notification left.
    pub(super) notified_at: Option<Instant>,
    /// The message ID of the last non-confirmable notification, by which a RST is told to be for it.
    pub(super) last_non: Option<u16>,
    /// The blocks of the last notification that the device has yet to fetch.
    pub(super) fetch: Fetch,
}

/// The blocks of a notification behind its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    /// There are none, or all were fetched.
    Done,
    /// The device has not acknowledged the first block.
    Announced,
    /// It has, and is given up then.
    Until(Instant),
}

/// All observations of one endpoint.
pub(super) struct Observations<P> {
    by_id: Map<ObservationId, Observation<P>>,
    by_peer: Map<Peer<P>, Vec<ObservationId>>,
    /// Those of peers that have yet to prove their address.
    unproven: BTreeSet<ObservationId>,
    next_id: u64,
    sequence: u32,
    events: VecDeque<ObserveEvent>,
    /// When fetching is given up.
    fetches: BTreeSet<(Instant, ObservationId)>,
    /// Without another block, that is.
    fetch_idle: Duration,
    most: usize,
    most_per_peer: usize,
}

impl<P: Copy + Eq + Hash> Observations<P> {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            by_id: Map::default(),
            by_peer: Map::default(),
            unproven: BTreeSet::new(),
            next_id: 0,
            sequence: 0,
            events: VecDeque::new(),
            fetches: BTreeSet::new(),
            fetch_idle: limits.body_idle,
            most: limits.observations,
            most_per_peer: limits.observations_per_peer,
        }
    }

    /// The one whose end would make room for one of this peer: the oldest of a peer whose address may be spoofed. Those of
    /// proven peers stay.
    pub(super) fn to_displace(&self, peer: &Peer<P>) -> Option<ObservationId> {
        let of_peer = self.by_peer.get(peer).map_or(0, Vec::len);
        let is_full = self.by_id.len() == self.most && of_peer < self.most_per_peer;
        self.unproven.first().copied().filter(|_| is_full)
    }

    /// The peer has proven its address.
    pub(super) fn proven(&mut self, peer: &Peer<P>) {
        for id in self.by_peer.get(peer).into_iter().flatten() {
            self.unproven.remove(id);
        }
    }

    /// Begins no more than other bounds allow from now on.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.most = limits.observations;
        self.most_per_peer = limits.observations_per_peer;
    }

    /// Begins an observation; none where a bound is reached.
    pub(super) fn begin(
        &mut self,
        observation: Observation<P>,
        is_proven: bool,
    ) -> Option<ObservationId> {
        let of_peer = self.by_peer.get(&observation.peer).map_or(0, Vec::len);
        if self.by_id.len() >= self.most || of_peer >= self.most_per_peer {
            return None;
        }
        let id = ObservationId(self.next_id);
        self.next_id += 1;
        if !is_proven {
            self.unproven.insert(id);
        }
        self.by_peer.entry(observation.peer).or_default().push(id);
        self.by_id.insert(id, observation);
        Some(id)
    }

    pub(super) fn get_mut(&mut self, id: ObservationId) -> Option<&mut Observation<P>> {
        self.by_id.get_mut(&id)
    }

    /// The observation that this token of this peer names.
    pub(super) fn find(&self, peer: &Peer<P>, token: Token) -> Option<ObservationId> {
        self.of_peer(peer, |observation| observation.token == token)
    }

    /// The observation whose last non-confirmable notification had this message ID.
    pub(super) fn find_non(&self, peer: &Peer<P>, message_id: u16) -> Option<ObservationId> {
        self.of_peer(peer, |observation| observation.last_non == Some(message_id))
    }

    fn of_peer(
        &self,
        peer: &Peer<P>,
        is_it: impl Fn(&Observation<P>) -> bool,
    ) -> Option<ObservationId> {
        let ids = self.by_peer.get(peer)?.iter().copied();
        ids.into_iter()
            .find(|id| self.by_id.get(id).is_some_and(&is_it))
    }

    /// The observations of a peer.
    pub(super) fn ids_of(&self, peer: &Peer<P>) -> Vec<ObservationId> {
        self.by_peer.get(peer).cloned().unwrap_or_default()
    }

    /// Takes an observation out of the list; none where it has ended before.
    pub(super) fn remove(&mut self, id: ObservationId) -> Option<Observation<P>> {
        let observation = self.by_id.remove(&id)?;
        self.unproven.remove(&id);
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

    /// For the caller.
    pub(super) fn tell(&mut self, event: ObserveEvent) {
        self.events.push_back(event);
    }

    pub(super) fn poll_event(&mut self) -> Option<ObserveEvent> {
        self.events.pop_front()
    }

    /// The first block of a notification, or all of it, is with the device.
    pub(super) fn arrived(&mut self, now: Instant, id: ObservationId) {
        let until = now + self.fetch_idle;
        match self.by_id.get_mut(&id) {
            Some(observation) if observation.fetch != Fetch::Done => {
                observation.fetch = Fetch::Until(until);
                self.fetches.insert((until, id));
            }
            Some(_) => self.tell(ObserveEvent::Delivered(id)),
            None => {}
        }
    }

    /// A peer has asked for another block of a body. Whether it was the last one of a notification.
    pub(super) fn fetched(&mut self, now: Instant, body: &BodyKey<P>, is_last: bool) -> bool {
        let mut of_notification = false;
        for id in self.ids_of(&body.0) {
            let Some(observation) = self.by_id.get_mut(&id) else {
                continue;
            };
            if observation.response_key.body != *body || observation.fetch == Fetch::Done {
                continue;
            }
            of_notification = is_last;
            let before = observation.fetch;
            if is_last {
                observation.fetch = Fetch::Done;
            }
            if let Fetch::Until(until) = before {
                self.fetches.remove(&(until, id));
                self.arrived(now, id);
            }
        }
        of_notification
    }

    /// Gives up what a device does not fetch.
    pub(super) fn expire_fetches(&mut self, now: Instant) {
        while let Some((until, id)) = self.fetches.first().copied().filter(|(at, _)| *at <= now) {
            self.fetches.remove(&(until, id));
            if let Some(observation) = self.by_id.get_mut(&id) {
                observation.fetch = Fetch::Done;
                self.tell(ObserveEvent::Delivered(id));
            }
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.fetches.first().map(|(until, _)| *until)
    }

    /// The next sequence number (RFC 7641 §4.4): 24 bits, one sequence for all observations. A client takes a number for
    /// newer that is less than 2^23 ahead, so 32,000 notifications per second could be told apart for the 256 s that
    /// it looks back.
    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = (self.sequence + 1) & 0x00ff_ffff;
        self.sequence
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}
