//! The use of a rule's limits, over all its revisions and exchanges.
//!
//! One host cannot use up what a rule has: the first half of each limit is for whoever comes first, and beyond it a
//! host has an eighth. So a rule whose requests all come from one host, such as a gateway of another network, has at
//! least half of its limits.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use share::{Amount, Bound, Bounds, Owner, Refused, Shares};

use super::bucket::Bucket;
use super::second_shares::SecondShares;
use crate::limits::{Limit, RuleLimits};

/// The use of one rule's limits.
#[derive(Debug)]
pub struct Budget {
    limits: RuleLimits,
    in_flight: AtomicUsize,
    /// The exchanges in flight that hold bytes: those that wait for a homeserver.
    waiting: Mutex<Shares>,
    exchanges: Bucket,
    exchanges_of_hosts: SecondShares,
    /// In nanoseconds of CPU time. One call can overdraw it.
    computing: Bucket,
    /// In microseconds.
    computing_of_hosts: SecondShares,
    /// Microseconds of the last call, until its host is charged for them.
    last_call: AtomicUsize,
    lines: Bucket,
    hits: [AtomicU64; Limit::ALL.len()],
}

/// The place of an exchange in progress, and the bytes that it holds; dropped with it.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
    owner: Owner,
    /// What it holds; none until it waits for a homeserver, so that other exchanges cost no look-up.
    held: Option<Amount>,
}

impl Permit {
    /// The exchange holds this many bytes from now on.
    ///
    /// # Errors
    /// The limit that this would exceed. Nothing has changed then.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Limit> {
        let mut waiting = self.budget.waiting();
        let before = self.held.map_or(0, |held| held.bytes);
        if let Some(more) = bytes.checked_sub(before).filter(|more| *more > 0) {
            let has_room = match waiting.admit(self.owner, Amount::bytes(more)) {
                Ok(()) => true,
                Err(Refused::InAll) => false,
                // A host has room for one exchange, however large.
                Err(Refused::Host | Refused::Network) => {
                    waiting.in_all().bytes < self.budget.limits.in_flight_bytes / 2
                        || waiting.held_by_holder(self.owner).bytes == before
                }
            };
            if !has_room {
                self.budget.count(Limit::InFlightBytes);
                return Err(Limit::InFlightBytes);
            }
        }
        if let Some(held) = self.held.replace(Amount::piece(bytes)) {
            waiting.give_back(self.owner, held);
        }
        waiting.add(self.owner, Amount::piece(bytes));
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.in_flight.fetch_sub(1, Relaxed);
        if let Some(held) = self.held {
            self.budget.waiting().give_back(self.owner, held);
        }
    }
}

impl Budget {
    /// All of the limits unused.
    #[must_use]
    pub fn new(limits: RuleLimits) -> Self {
        let nanoseconds = 10_000_000 * i64::from(limits.cpu_percent);
        let microseconds = 10_000 * limits.cpu_percent as usize;
        Self {
            limits,
            in_flight: AtomicUsize::new(0),
            waiting: Mutex::new(Shares::new(Bounds::of_bytes(limits.in_flight_bytes))),
            exchanges: Bucket::new(limits.per_second.into()),
            exchanges_of_hosts: SecondShares::new(limits.per_second as usize),
            computing: Bucket::new(nanoseconds),
            computing_of_hosts: SecondShares::new(microseconds),
            last_call: AtomicUsize::new(0),
            lines: Bucket::new(limits.log_lines_per_second.into()),
            hits: [const { AtomicU64::new(0) }; Limit::ALL.len()],
        }
    }

    /// Whether one more exchange of this host may begin.
    ///
    /// # Errors
    /// The limit that was reached, by the rule or by its host; the device gets 5.03.
    pub fn admit(self: &Arc<Self>, now: Instant, owner: Owner) -> Result<Permit, Limit> {
        let full = if !self.has_place(owner) {
            Some(Limit::InFlight)
        } else if !self.may_compute(now, owner) {
            Some(Limit::CpuShare)
        } else if !self.exchanges_of_hosts.has_room(now, owner) || !self.exchanges.take(now, 1) {
            Some(Limit::Rate)
        } else {
            None
        };
        if let Some(limit) = full {
            self.count(limit);
            return Err(limit);
        }
        self.exchanges_of_hosts.add(now, owner, 1);
        self.in_flight.fetch_add(1, Relaxed);
        Ok(Permit {
            budget: self.clone(),
            owner,
            held: None,
        })
    }

    /// Whether one more exchange of this host may wait for a homeserver.
    fn has_place(&self, owner: Owner) -> bool {
        let (in_flight, limit) = (self.in_flight.load(Relaxed), self.limits.in_flight);
        let of_host = || self.waiting().held_by_holder(owner).pieces;
        in_flight < limit / 2 || in_flight < limit && of_host() < Bound::eighth(limit).host
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Shares> {
        // Each change is complete before anything in it can panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the rule has CPU time left for this host.
    pub fn may_compute(&self, now: Instant, owner: Owner) -> bool {
        self.limits.cpu_percent >= 100
            || self.computing.has_any(now) && self.computing_of_hosts.has_room(now, owner)
    }

    /// Counts the CPU time of a call.
    pub fn spent(&self, now: Instant, time: Duration) {
        // Calls run on one thread, so they cannot take more than a core.
        if self.limits.cpu_percent < 100 {
            let nanoseconds = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
            self.computing.overdraw(now, nanoseconds);
            let microseconds = usize::try_from(time.as_micros()).unwrap_or(usize::MAX);
            self.last_call.store(microseconds, Relaxed);
        }
    }

    /// Charges this host for the last call: it was made for one of its devices.
    pub fn charge(&self, now: Instant, owner: Owner) {
        if self.limits.cpu_percent < 100 {
            let microseconds = self.last_call.swap(0, Relaxed);
            self.computing_of_hosts.add(now, owner, microseconds);
        }
    }

    /// Whether one more log line may be written.
    pub fn admit_line(&self, now: Instant) -> bool {
        let admitted = self.lines.take(now, 1);
        if !admitted {
            self.count(Limit::LogLines);
        }
        admitted
    }

    /// Counts that a limit was reached.
    pub fn count(&self, limit: Limit) {
        self.hits[limit as usize].fetch_add(1, Relaxed);
    }

    /// The limits that were reached, and how often.
    #[must_use]
    pub fn hits(&self) -> Vec<(Limit, u64)> {
        let counted = Limit::ALL
            .iter()
            .map(|limit| (*limit, self.hits[*limit as usize].load(Relaxed)));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Exchanges in progress.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }
}
