//! The outcomes and durations of a homeserver's calls, and whether it is reachable.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use contract::Outcome;

/// Outcomes of calls: the class of a status, or a reason of `types.call-error`.
pub const OUTCOMES: [&str; 13] = [
    "1xx",
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "busy",
    "cut-off",
    "denied",
    "timed-out",
    "tls",
    "too-large",
    "unreachable",
    "other",
];

/// Upper bounds of the classes of durations, in seconds: a homeserver near the gateway responds in milliseconds, and
/// after 10 s the device has given up.
pub const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The record of one homeserver.
#[derive(Debug, Default)]
pub struct CallRecord {
    outcomes: [AtomicU64; OUTCOMES.len()],
    /// Counts by the first of [`BOUNDS`] that a duration does not exceed; the last count has no bound.
    durations: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
    presence: Mutex<Option<Presence>>,
}

/// Whether a homeserver is reachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// It responds, and its response is not that of a proxy without its homeserver.
    pub is_there: bool,
    /// Since when it is reachable or unreachable.
    pub since: Instant,
    /// The last status, or the reason why there was none.
    pub outcome: String,
    /// The time of that outcome.
    pub at: Instant,
    /// The duration of the last call that was no long poll.
    pub latency: Option<Duration>,
}

/// The durations of calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durations {
    /// The number of calls that did not exceed each of [`BOUNDS`].
    pub within: [u64; BOUNDS.len()],
    /// The number of calls.
    pub count: u64,
    /// The sum.
    pub seconds: f64,
}

impl CallRecord {
    /// Counts a call that has ended. `took`: the time since it had its slot; none if it had no slot, or was a long
    /// poll.
    pub(super) fn ended(&self, outcome: &Outcome, took: Option<Duration>) {
        self.outcomes[kind(outcome)].fetch_add(1, Relaxed);
        if let Some(took) = took {
            let seconds = took.as_secs_f64();
            let class = BOUNDS.iter().position(|bound| seconds <= *bound);
            self.durations[class.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
            let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.microseconds.fetch_add(microseconds, Relaxed);
        }
        self.observe(outcome, took);
    }

    /// Takes from an outcome whether the homeserver is reachable.
    pub(super) fn observe(&self, outcome: &Outcome, took: Option<Duration>) {
        let (is_there, outcome) = match outcome {
            // Statuses of a proxy in front of it (RFC 9110 §15.6.3 to §15.6.5).
            Ok(response) => (
                !(502..=504).contains(&response.status),
                response.status.to_string(),
            ),
            Err(error) => match error.reason.as_str() {
                "too-large" => (true, error.reason.clone()),
                // It waited for its slot until its deadline, and was not sent.
                "timed-out" if !error.sent && took.is_none() => return,
                "cut-off" | "timed-out" | "tls" | "unreachable" => (false, error.reason.clone()),
                _ => return,
            },
        };
        let at = Instant::now();
        let mut presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        let before = presence.take();
        let same = before.as_ref().filter(|before| before.is_there == is_there);
        *presence = Some(Presence {
            is_there,
            since: same.map_or(at, |before| before.since),
            outcome,
            at,
            latency: took.or(before.and_then(|before| before.latency)),
        });
    }

    /// Whether the homeserver is reachable; none before the first call.
    #[must_use]
    pub fn presence(&self) -> Option<Presence> {
        let presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        presence.clone()
    }

    /// Counts of [`OUTCOMES`].
    #[must_use]
    pub fn outcomes(&self) -> [u64; OUTCOMES.len()] {
        std::array::from_fn(|kind| self.outcomes[kind].load(Relaxed))
    }

    /// The durations of calls without long polls.
    #[must_use]
    pub fn durations(&self) -> Durations {
        let mut durations = Durations::default();
        for (class, count) in self.durations.iter().enumerate() {
            durations.count += count.load(Relaxed);
            if let Some(within) = durations.within.get_mut(class) {
                *within = durations.count;
            }
        }
        durations.seconds = Duration::from_micros(self.microseconds.load(Relaxed)).as_secs_f64();
        durations
    }
}

/// The index in [`OUTCOMES`].
fn kind(outcome: &Outcome) -> usize {
    match outcome {
        Ok(response) => usize::from((response.status / 100).clamp(1, 5)) - 1,
        Err(error) => OUTCOMES
            .iter()
            .position(|outcome| *outcome == error.reason)
            .unwrap_or(OUTCOMES.len() - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{CallError, HttpResponse};

    fn response(status: u16) -> Outcome {
        Ok(HttpResponse {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        })
    }

    fn failed(reason: &str, sent: bool) -> Outcome {
        let reason = reason.to_owned();
        Err(CallError { reason, sent })
    }

    fn count(record: &CallRecord, name: &str) -> u64 {
        let index = OUTCOMES.iter().position(|outcome| *outcome == name);
        record.outcomes()[index.unwrap()]
    }

    #[test]
    fn durations_are_counted_in_every_class_that_they_do_not_exceed() {
        let record = CallRecord::default();
        for milliseconds in [1, 5, 60, 11_000] {
            let took = Duration::from_millis(milliseconds);
            record.ended(&response(200), Some(took));
        }
        record.ended(&response(200), None);
        let durations = record.durations();
        assert_eq!(durations.within, [2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((durations.count, durations.seconds), (4, 11.066));
        assert_eq!(count(&record, "2xx"), 5);
    }

    #[test]
    fn every_outcome_is_counted_by_its_class_or_reason() {
        let record = CallRecord::default();
        for (status, name) in [
            (101, "1xx"),
            (302, "3xx"),
            (429, "4xx"),
            (599, "5xx"),
            (999, "5xx"),
        ] {
            let before = count(&record, name);
            record.ended(&response(status), None);
            assert_eq!(count(&record, name), before + 1, "{status}");
        }
        for reason in ["busy", "tls", "unreachable"] {
            record.ended(&failed(reason, false), None);
            assert_eq!(count(&record, reason), 1);
        }
        record.ended(&failed("new", false), None);
        assert_eq!(count(&record, "other"), 1);
    }

    #[test]
    fn reachability_has_the_time_of_its_last_change() {
        let record = CallRecord::default();
        assert_eq!(record.presence(), None);
        let took = Some(Duration::from_millis(3));
        record.ended(&response(403), took);
        let first = record.presence().unwrap();
        assert!(first.is_there && first.latency == took);
        record.ended(&response(200), None);
        let second = record.presence().unwrap();
        assert_eq!((second.since, second.latency), (first.since, took));
        for outcome in [
            response(502),
            failed("unreachable", false),
            failed("timed-out", true),
        ] {
            record.ended(&outcome, None);
            assert!(!record.presence().unwrap().is_there, "{outcome:?}");
        }
        assert!(record.presence().unwrap().since > first.since);
    }

    #[test]
    fn a_call_that_never_left_the_gateway_shows_nothing_about_the_homeserver() {
        let record = CallRecord::default();
        for reason in ["busy", "denied", "timed-out"] {
            record.ended(&failed(reason, false), None);
        }
        assert_eq!(record.presence(), None);
    }
}
