//! A token bucket.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token bucket: fills by `per_second` up to one second's worth.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: i64,
    level: Mutex<Option<(i64, Instant)>>,
}

impl Bucket {
    pub(super) fn new(per_second: i64) -> Self {
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

    pub(super) fn take(&self, now: Instant, wanted: i64) -> bool {
        self.with(now, |tokens| {
            let enough = *tokens >= wanted;
            if enough {
                *tokens -= wanted;
            }
            enough
        })
    }

    pub(super) fn has_any(&self, now: Instant) -> bool {
        self.with(now, |tokens| *tokens > 0)
    }

    pub(super) fn overdraw(&self, now: Instant, spent: i64) {
        self.with(now, |tokens| *tokens = tokens.saturating_sub(spent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
