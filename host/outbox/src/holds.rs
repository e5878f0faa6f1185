//! What lanes wait for besides their homeserver's turn: times, and their accounts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is over at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The pause of a lane.
    Lane(u64),
    /// The pause of an account.
    Account(u64),
    /// The pause of a homeserver that was down.
    Server(u64),
}

/// Accounts whose attempts would fail, and the ends of pauses. An account is held as long as it has lanes here.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// Ordered, so that one seed is one run.
    accounts: BTreeMap<u64, Held>,
    timers: BTreeSet<(Duration, Timer)>,
}

#[derive(Debug)]
struct Held {
    /// None: for another token.
    until: Option<Duration>,
    lanes: Vec<u64>,
}

impl Holds {
    /// Whether attempts of this account would fail.
    pub(crate) fn has_account(&self, account: u64) -> bool {
        self.accounts.contains_key(&account)
    }

    /// Whether the account waits for another token.
    pub(crate) fn needs_token(&self, account: u64) -> bool {
        let held = self.accounts.get(&account);
        held.is_some_and(|held| held.until.is_none())
    }

    /// The lane waits for its account, until then or for another token.
    pub(crate) fn hold(&mut self, account: u64, lane: u64, until: Option<Duration>) {
        match self.accounts.entry(account) {
            Entry::Occupied(held) => held.into_mut().lanes.push(lane),
            Entry::Vacant(place) => {
                let lanes = vec![lane];
                place.insert(Held { until, lanes });
                if let Some(until) = until {
                    self.timers.insert((until, Timer::Account(account)));
                }
            }
        }
    }

    /// A lane of a held account joins its other ones.
    pub(crate) fn join(&mut self, account: u64, lane: u64) -> bool {
        let held = self.accounts.get_mut(&account);
        held.map(|held| held.lanes.push(lane)).is_some()
    }

    /// The lane has ended.
    pub(crate) fn leave(&mut self, account: u64, lane: u64) {
        let Some(held) = self.accounts.get_mut(&account) else {
            return;
        };
        held.lanes.retain(|other| *other != lane);
        if held.lanes.is_empty() {
            let until = held.until;
            self.accounts.remove(&account);
            if let Some(until) = until {
                self.timers.remove(&(until, Timer::Account(account)));
            }
        }
    }

    /// Frees an account: returns its lanes.
    pub(crate) fn free(&mut self, account: u64) -> Vec<u64> {
        let Some(held) = self.accounts.remove(&account) else {
            return Vec::new();
        };
        if let Some(until) = held.until {
            self.timers.remove(&(until, Timer::Account(account)));
        }
        held.lanes
    }

    pub(crate) fn start(&mut self, until: Duration, timer: Timer) {
        self.timers.insert((until, timer));
    }

    pub(crate) fn stop(&mut self, until: Duration, timer: Timer) {
        self.timers.remove(&(until, timer));
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.timers.first().map(|(time, _)| *time)
    }

    /// A pause that is over.
    pub(crate) fn elapsed(&mut self, now: Duration) -> Option<Timer> {
        let (time, _) = self.timers.first()?;
        if *time > now {
            return None;
        }
        self.timers.pop_first().map(|(_, timer)| timer)
    }

    /// Everything that is held or paused, which is over now.
    pub(crate) fn take_all(&mut self) -> (Vec<u64>, Vec<Timer>) {
        let accounts = std::mem::take(&mut self.accounts);
        let lanes = accounts.into_values().flat_map(|held| held.lanes);
        let timers = std::mem::take(&mut self.timers);
        let timers = timers.into_iter().map(|(_, timer)| timer);
        (lanes.collect(), timers.collect())
    }
}
