//! The use of a rule's limits, over all its revisions and exchanges.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{Limit, RuleLimits};

/// The use of one rule's limits.
#[derive(Debug)]
pub struct Budget {
    limits: RuleLimits,
    in_flight: AtomicUsize,
    /// Bytes that the exchanges in flight hold.
    in_flight_bytes: AtomicUsize,
    exchanges: Bucket,
    /// In nanoseconds of CPU time. One call can overdraw it.
    computing: Bucket,
    lines: Bucket,
    hits: [AtomicU64; Limit::ALL.len()],
}

/// The place of an exchange in progress, and the bytes that it holds; dropped with it.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Permit {
    /// The exchange holds this many bytes from now on.
    ///
    /// # Errors
    /// The limit that this would exceed. Nothing has changed then.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Limit> {
        let of_rule = &self.budget.in_flight_bytes;
        if let Some(more) = bytes.checked_sub(self.bytes) {
            let before = of_rule.fetch_add(more, Relaxed);
            if more > 0 && before.saturating_add(more) > self.budget.limits.in_flight_bytes {
                of_rule.fetch_sub(more, Relaxed);
                self.budget.count(Limit::InFlightBytes);
                return Err(Limit::InFlightBytes);
            }
        } else {
            of_rule.fetch_sub(self.bytes - bytes, Relaxed);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.in_flight.fetch_sub(1, Relaxed);
        self.budget.in_flight_bytes.fetch_sub(self.bytes, Relaxed);
    }
}

impl Budget {
    /// All of the limits unused.
    #[must_use]
    pub fn new(limits: RuleLimits) -> Self {
        let nanoseconds = 10_000_000 * i64::from(limits.cpu_percent);
        Self {
            limits,
            in_flight: AtomicUsize::new(0),
            in_flight_bytes: AtomicUsize::new(0),
            exchanges: Bucket::new(limits.per_second.into()),
            computing: Bucket::new(nanoseconds),
            lines: Bucket::new(limits.log_lines_per_second.into()),
            hits: [const { AtomicU64::new(0) }; Limit::ALL.len()],
        }
    }

    /// Whether one more exchange may begin.
    ///
    /// # Errors
    /// The limit that was reached; the device gets 5.03.
    pub fn admit(self: &Arc<Self>, now: Instant) -> Result<Permit, Limit> {
        let full = if self.in_flight.load(Relaxed) >= self.limits.in_flight {
            Some(Limit::InFlight)
        } else if !self.may_compute(now) {
            Some(Limit::CpuShare)
        } else if !self.exchanges.take(now, 1) {
            Some(Limit::Rate)
        } else {
            None
        };
        match full {
            None => {
                self.in_flight.fetch_add(1, Relaxed);
                let budget = self.clone();
                Ok(Permit { budget, bytes: 0 })
            }
            Some(limit) => {
                self.count(limit);
                Err(limit)
            }
        }
    }

    /// Whether the rule has CPU time left, for work outside of an exchange.
    pub fn may_compute(&self, now: Instant) -> bool {
        self.limits.cpu_percent >= 100 || self.computing.has_any(now)
    }

    /// Counts the CPU time of a call.
    pub fn spent(&self, now: Instant, time: Duration) {
        // Calls run on one thread, so they cannot take more than a core.
        if self.limits.cpu_percent < 100 {
            let nanoseconds = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
            self.computing.overdraw(now, nanoseconds);
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

/// A token bucket: fills by `per_second` up to one second's worth.
#[derive(Debug)]
struct Bucket {
    per_second: i64,
    level: Mutex<Option<(i64, Instant)>>,
}

impl Bucket {
    fn new(per_second: i64) -> Self {
        Self {
            per_second,
            level: Mutex::new(None),
        }
    }

    /// Applies `change` to the present level.
    fn with<T>(&self, now: Instant, change: impl FnOnce(&mut i64) -> T) -> T {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = level.get_or_insert((self.per_second, now));
        let elapsed = now.saturating_duration_since(*since);
        // Within a second nothing of this exceeds 10^18.
        let part = self.per_second * i64::from(elapsed.subsec_nanos()) / 1_000_000_000;
        if elapsed >= Duration::from_secs(1) {
            let seconds = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
            let gained = self.per_second.saturating_mul(seconds).saturating_add(part);
            *tokens = tokens.saturating_add(gained).min(self.per_second);
            *since = now;
        } else if part > 0 {
            *tokens = (*tokens + part).min(self.per_second);
            // The fraction of a token is kept.
            let used = part * 1_000_000_000 / self.per_second;
            *since += Duration::from_nanos(used.unsigned_abs());
        }
        change(tokens)
    }

    fn take(&self, now: Instant, wanted: i64) -> bool {
        self.with(now, |tokens| {
            let enough = *tokens >= wanted;
            if enough {
                *tokens -= wanted;
            }
            enough
        })
    }

    fn has_any(&self, now: Instant) -> bool {
        self.with(now, |tokens| *tokens > 0)
    }

    fn overdraw(&self, now: Instant, spent: i64) {
        self.with(now, |tokens| *tokens = tokens.saturating_sub(spent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(limits: RuleLimits) -> (Arc<Budget>, Instant) {
        (Arc::new(Budget::new(limits)), Instant::now())
    }

    #[test]
    fn exchanges_in_flight_are_bounded_and_their_places_come_back() {
        let (budget, now) = budget(RuleLimits {
            in_flight: 2,
            ..RuleLimits::default()
        });
        let first = budget.admit(now).unwrap();
        let _second = budget.admit(now).unwrap();
        assert_eq!(budget.admit(now).unwrap_err(), Limit::InFlight);
        drop(first);
        assert!(budget.admit(now).is_ok());
        assert_eq!(budget.hits(), [(Limit::InFlight, 1)]);
    }

    #[test]
    fn bytes_of_exchanges_in_flight_are_bounded_and_come_back() {
        let (budget, now) = budget(RuleLimits {
            in_flight_bytes: 100,
            ..RuleLimits::default()
        });
        let mut first = budget.admit(now).unwrap();
        let mut second = budget.admit(now).unwrap();
        assert_eq!(first.hold(60), Ok(()));
        assert_eq!(second.hold(41), Err(Limit::InFlightBytes));
        assert_eq!(second.hold(40), Ok(()));
        assert_eq!(first.hold(61), Err(Limit::InFlightBytes));
        assert_eq!(first.hold(10), Ok(()));
        assert_eq!(second.hold(90), Ok(()));
        drop(second);
        assert_eq!(first.hold(100), Ok(()));
        drop(first);
        assert_eq!(budget.in_flight_bytes.load(Relaxed), 0);
        assert_eq!(budget.hits(), [(Limit::InFlightBytes, 2)]);
    }

    #[test]
    fn a_second_has_its_exchanges_and_no_more() {
        let (budget, start) = budget(RuleLimits {
            per_second: 10,
            ..RuleLimits::default()
        });
        let admitted = |now| (0..100).filter(|_| budget.admit(now).is_ok()).count();
        assert_eq!(admitted(start), 10);
        assert_eq!(admitted(start + Duration::from_millis(500)), 5);
        assert_eq!(admitted(start + Duration::from_secs(60)), 10);
    }

    #[test]
    fn computing_is_a_share_of_time_and_waits_when_it_is_overdrawn() {
        let (budget, start) = budget(RuleLimits {
            cpu_percent: 10,
            per_second: 1000,
            ..RuleLimits::default()
        });
        budget.spent(start, Duration::from_millis(120));
        assert_eq!(budget.admit(start).unwrap_err(), Limit::CpuShare);
        // 20 ms are owed; at a tenth of a core that takes 200 ms.
        let soon = start + Duration::from_millis(190);
        assert_eq!(budget.admit(soon).unwrap_err(), Limit::CpuShare);
        assert!(budget.admit(start + Duration::from_millis(210)).is_ok());
    }

    #[test]
    fn a_long_debt_is_paid_second_by_second() {
        let bucket = Bucket::new(1000);
        let start = Instant::now();
        bucket.overdraw(start, 6000);
        assert!(!bucket.has_any(start + Duration::from_secs(4)));
        assert!(bucket.has_any(start + Duration::from_millis(5001)));
    }

    #[test]
    fn many_small_gains_add_up() {
        let bucket = Bucket::new(1);
        let start = Instant::now();
        assert!(bucket.take(start, 1));
        let taken = (1..=20)
            .map(|step| start + Duration::from_millis(100 * step))
            .filter(|now| bucket.take(*now, 1))
            .count();
        assert_eq!(taken, 2);
    }
}
