//! Whose turn it is: lanes, their accounts and their homeservers.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::accepted::Origin;
use crate::holds::{Holds, Timer};
use crate::lane::{Lane, Turn};
use crate::pause::Pauses;
use crate::record::RecordNumber;
use crate::retry::Waiting;
use crate::server::Server;

/// The lanes with deliveries that wait, each of them in one place: ready at its homeserver, in flight, paused, with its
/// account, or while its oldest record is being stored.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) lanes: HashMap<u64, Lane>,
    /// Ordered, so that one seed is one run.
    pub(crate) servers: BTreeMap<u64, Server>,
    pub(crate) holds: Holds,
    pub(crate) pauses: Pauses,
}

impl Scheduler {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            lanes: HashMap::new(),
            servers: BTreeMap::new(),
            holds: Holds::default(),
            pauses: Pauses::new(seed),
        }
    }

    pub(crate) fn has_lane(&self, lane: u64) -> bool {
        self.lanes.contains_key(&lane)
    }

    /// Whether an attempt in this account's name would fail now.
    pub(crate) fn is_held(&self, server: u64, account: u64) -> bool {
        let server = self.servers.get(&server);
        self.holds.has_account(account) || server.is_some_and(|server| server.failures > 0)
    }

    /// Adds the youngest delivery of a lane. `turn`: of the lane, if there was none; an attempt in flight is this
    /// delivery's in any case.
    pub(crate) fn push(
        &mut self,
        origin: &Origin,
        number: RecordNumber,
        is_stored: bool,
        turn: Turn,
    ) {
        let is_new = !self.has_lane(origin.lane);
        let lane = Lane::new(origin.server, origin.account, turn);
        let lane = self.lanes.entry(origin.lane).or_insert(lane);
        let server = self.servers.entry(origin.server).or_default();
        let mut early = None;
        if let Turn::InFlight(began) = turn {
            server.in_flight += 1;
            early = Some(began).filter(|_| !is_new);
        }
        lane.push(number, is_stored, early);
        if is_new {
            server.lanes += 1;
            if turn == Turn::Ready {
                server.ready.push_back(origin.lane);
            }
        }
    }

    /// The record is in the store: it may have its turn.
    pub(crate) fn stored(&mut self, name: u64, number: RecordNumber) {
        if let Some(lane) = self.lanes.get_mut(&name) {
            lane.set_stored(number, true);
            if lane.turn == Turn::Storing && lane.is_first(number) {
                self.make_ready(name);
            }
        }
    }

    /// The record has no turn until it is stored again.
    pub(crate) fn hold_back(&mut self, name: u64, number: RecordNumber) {
        if let Some(lane) = self.lanes.get_mut(&name) {
            lane.set_stored(number, false);
        }
    }

    /// Whether it is the oldest of its lane.
    pub(crate) fn is_first(&self, lane: u64, number: RecordNumber) -> bool {
        self.first(lane) == Some(number)
    }

    /// The oldest of a lane.
    pub(crate) fn first(&self, lane: u64) -> Option<RecordNumber> {
        let (first, _) = self.lanes.get(&lane)?.first()?;
        Some(first)
    }

    /// Whether others of the lane wait behind or before this delivery.
    pub(crate) fn has_others(&self, lane: u64) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| lane.len() > 1)
    }

    /// Whether the delivery is in the store.
    pub(crate) fn is_stored(&self, lane: u64, number: RecordNumber) -> bool {
        let lane = self.lanes.get(&lane);
        lane.is_some_and(|lane| lane.is_stored(number))
    }

    /// Whether an attempt of the delivery is in flight.
    pub(crate) fn is_in_flight(&self, name: u64, number: RecordNumber) -> bool {
        let is_early = |lane: &Lane| lane.has_early_attempt(number);
        self.has_turn(name, number) || self.lanes.get(&name).is_some_and(is_early)
    }

    /// Whether the attempt in flight is its lane's.
    pub(crate) fn has_turn(&self, name: u64, number: RecordNumber) -> bool {
        self.lanes
            .get(&name)
            .is_some_and(|lane| lane.is_in_flight() && lane.is_first(number))
    }

    /// An attempt that began before its lane's turn has ended.
    pub(crate) fn end_early_attempt(&mut self, name: u64, number: RecordNumber) {
        if let Some(lane) = self.lanes.get_mut(&name)
            && lane.take_early_attempt(number).is_some()
            && let Some(server) = self.servers.get_mut(&lane.server)
        {
            server.in_flight = server.in_flight.saturating_sub(1);
        }
    }

    /// Removes a delivery whose lane has no turn for it.
    pub(crate) fn remove(&mut self, name: u64, number: RecordNumber) {
        self.end_early_attempt(name, number);
        let Some(lane) = self.lanes.get_mut(&name) else {
            return;
        };
        lane.remove(number);
        if lane.first().is_none() {
            self.end_lane(name);
        } else if lane.turn == Turn::Storing {
            self.make_ready(name);
        }
    }

    /// The next delivery whose turn it is; it is in flight from now on.
    pub(crate) fn next(&mut self, now: Duration) -> Option<RecordNumber> {
        for server in self.servers.values_mut() {
            while server.is_open(now)
                && let Some(name) = server.ready.pop_front()
            {
                let Some(lane) = self.lanes.get_mut(&name) else {
                    continue;
                };
                if self.holds.join(lane.account, name) {
                    lane.turn = Turn::Account;
                    continue;
                }
                let Some((number, is_stored)) = lane.first() else {
                    continue;
                };
                if let Some(began) = lane.take_early_attempt(number) {
                    lane.turn = Turn::InFlight(began);
                } else if is_stored {
                    lane.turn = Turn::InFlight(now);
                    server.in_flight += 1;
                    return Some(number);
                } else {
                    lane.turn = Turn::Storing;
                }
            }
        }
        None
    }

    /// The homeserver has responded to somebody.
    pub(crate) fn responded(&mut self, now: Duration, server: u64) {
        if let Some(server) = self.servers.get_mut(&server) {
            server.responded = Some(now);
        }
    }

    /// When to ask for the next attempt again.
    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.holds.next_timeout()
    }

    /// Ends the pauses that are over.
    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        while let Some(timer) = self.holds.elapsed(now) {
            self.elapsed(timer);
        }
    }

    /// What a delivery waits for.
    pub(crate) fn waiting(&self, name: u64, number: RecordNumber) -> Waiting {
        let Some(lane) = self.lanes.get(&name) else {
            return Waiting::Turn;
        };
        match lane.turn {
            _ if !lane.is_first(number) => Waiting::Lane,
            Turn::InFlight(_) | Turn::Recording(_) => Waiting::InFlight,
            Turn::Paused(_) => Waiting::Pause,
            _ if self.holds.needs_token(lane.account) => Waiting::Token,
            _ if self.holds.has_account(lane.account) => Waiting::Limited,
            _ if self.is_held(lane.server, lane.account) => Waiting::Homeserver,
            Turn::Ready | Turn::Storing | Turn::Account => Waiting::Turn,
        }
    }

    /// Attempts in flight.
    pub(crate) fn in_flight(&self) -> usize {
        let servers = self.servers.values();
        servers.map(|server| server.in_flight as usize).sum()
    }

    pub(crate) fn elapsed(&mut self, timer: Timer) {
        match timer {
            Timer::Lane(lane) => self.make_ready(lane),
            Timer::Account(account) => {
                let lanes = self.holds.free(account);
                lanes.into_iter().for_each(|lane| self.make_ready(lane));
            }
            Timer::Server(server) => {
                if let Some(server) = self.servers.get_mut(&server) {
                    server.down_until = None;
                }
            }
        }
    }

    pub(crate) fn make_ready(&mut self, name: u64) {
        if let Some(lane) = self.lanes.get_mut(&name) {
            lane.turn = Turn::Ready;
            if let Some(server) = self.servers.get_mut(&lane.server) {
                server.ready.push_back(name);
            }
        }
    }

    /// A lane without deliveries ends; its homeserver is forgotten with the last one.
    pub(crate) fn end_lane(&mut self, name: u64) {
        let Some(lane) = self.lanes.remove(&name) else {
            return;
        };
        if let Turn::Paused(until) = lane.turn {
            self.holds.stop(until, Timer::Lane(name));
        }
        self.holds.leave(lane.account, name);
        let Some(server) = self.servers.get_mut(&lane.server) else {
            return;
        };
        if lane.turn == Turn::Ready {
            server.ready.retain(|other| *other != name);
        }
        server.lanes = server.lanes.saturating_sub(1);
        if server.lanes == 0 {
            if let Some(until) = server.down_until {
                self.holds.stop(until, Timer::Server(lane.server));
            }
            self.servers.remove(&lane.server);
        }
    }
}
