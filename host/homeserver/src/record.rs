//! What calls to a homeserver have led to: counts, how long they took, and whether it is there.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use contract::Outcome;

/// What a call can lead to: the class of a status, or a reason of `types.call-error`.
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

/// Upper bounds of the classes of durations, in seconds: a homeserver beside the gateway answers in milliseconds, and after
/// 10 s its device has given up.
pub const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The record of one homeserver.
#[derive(Debug, Default)]
pub struct CallRecord {
    outcomes: [AtomicU64; OUTCOMES.len()],
    /// By the first of [`BOUNDS`] that it does not exceed; the last one has none.
    durations: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
    presence: Mutex<Option<Presence>>,
}

/// Whether a homeserver is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// It answers, and not as a proxy does whose homeserver is away.
    pub is_there: bool,
    /// Since when it is there, or is not.
    pub since: Instant,
    /// The last status, or why there was none.
    pub outcome: String,
    /// When that was.
    pub at: Instant,
    /// How long the last call that did not wait for something to happen took.
    pub latency: Option<Duration>,
}

/// How long calls took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durations {
    /// How many took no longer than each of [`BOUNDS`].
    pub within: [u64; BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// Of all of them.
    pub seconds: f64,
}

impl CallRecord {
    /// A call has ended. `took`: since it had its place in the queue; none where it never had one, or was meant to wait.
    pub(super) fn ended(&self, outcome: &Outcome, took: Option<Duration>) {
        self.outcomes[kind(outcome)].fetch_add(1, Relaxed);
        if let Some(took) = took {
            let seconds = took.as_secs_f64();
            let class = BOUNDS.iter().position(|bound| seconds <= *bound);
            self.durations[class.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
            let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.microseconds.fetch_add(microseconds, Relaxed);
        }
        self.saw(outcome, took);
    }

    /// What a call tells of whether the homeserver is there.
    pub(super) fn saw(&self, outcome: &Outcome, took: Option<Duration>) {
        let (is_there, outcome) = match outcome {
            // Statuses of a proxy in front of it (RFC 9110 §15.6.3 to §15.6.5).
            Ok(answer) => (
                !(502..=504).contains(&answer.status),
                answer.status.to_string(),
            ),
            Err(error) => match error.reason.as_str() {
                "too-large" => (true, error.reason.clone()),
                // One that waited for its place in the queue until its deadline has asked nobody.
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

    /// Whether the homeserver is there; none before it was asked for the first time.
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

    /// How long calls took, polls for observers and other long polls aside.
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
        Ok(answer) => usize::from((answer.status / 100).clamp(1, 5)) - 1,
        Err(error) => OUTCOMES
            .iter()
            .position(|known| *known == error.reason)
            .unwrap_or(OUTCOMES.len() - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{CallError, HttpResponse};

    fn answered(status: u16) -> Outcome {
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
        let index = OUTCOMES.iter().position(|known| *known == name);
        record.outcomes()[index.unwrap()]
    }

    #[test]
    fn durations_are_counted_in_every_class_that_they_do_not_exceed() {
        let record = CallRecord::default();
        for milliseconds in [1, 5, 60, 11_000] {
            let took = Duration::from_millis(milliseconds);
            record.ended(&answered(200), Some(took));
        }
        record.ended(&answered(200), None);
        let durations = record.durations();
        assert_eq!(durations.within, [2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((durations.count, durations.seconds), (4, 11.066));
        assert_eq!(count(&record, "2xx"), 5);
    }

    #[test]
    fn every_outcome_is_counted_as_what_it_is() {
        let record = CallRecord::default();
        for (status, name) in [
            (101, "1xx"),
            (302, "3xx"),
            (429, "4xx"),
            (599, "5xx"),
            (999, "5xx"),
        ] {
            let before = count(&record, name);
            record.ended(&answered(status), None);
            assert_eq!(count(&record, name), before + 1, "{status}");
        }
        for reason in ["busy", "tls", "unreachable"] {
            record.ended(&failed(reason, false), None);
            assert_eq!(count(&record, reason), 1);
        }
        record.ended(&failed("a new one", false), None);
        assert_eq!(count(&record, "other"), 1);
    }

    #[test]
    fn a_homeserver_is_there_or_not_since_that_changed() {
        let record = CallRecord::default();
        assert_eq!(record.presence(), None);
        let took = Some(Duration::from_millis(3));
        record.ended(&answered(403), took);
        let first = record.presence().unwrap();
        assert!(first.is_there && first.latency == took);
        record.ended(&answered(200), None);
        let second = record.presence().unwrap();
        assert_eq!((second.since, second.latency), (first.since, took));
        for outcome in [
            answered(502),
            failed("unreachable", false),
            failed("timed-out", true),
        ] {
            record.ended(&outcome, None);
            assert!(!record.presence().unwrap().is_there, "{outcome:?}");
        }
        assert!(record.presence().unwrap().since > first.since);
    }

    #[test]
    fn what_never_left_the_gateway_says_nothing_of_the_homeserver() {
        let record = CallRecord::default();
        for reason in ["busy", "denied", "timed-out"] {
            record.ended(&failed(reason, false), None);
        }
        assert_eq!(record.presence(), None);
    }
}
