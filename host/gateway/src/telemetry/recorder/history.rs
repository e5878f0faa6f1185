//! The last hour in one-minute points, for the charts of the status page: a ring of fixed size.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::unix_time::unix_ms;

/// Points that are kept: an hour.
const POINTS: usize = 60;
/// Classes of durations, four between two powers of two: from 1 µs to more than an hour, with an error of a fifth.
const CLASSES: usize = 4 * 32;

/// One minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its end, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Its length: shorter for the minute in progress.
    pub seconds: f64,
    /// Requests completed.
    pub requests: u64,
    /// Half of them took at most so many milliseconds; none without a request.
    pub p50_ms: Option<f64>,
    /// 99 of 100 took at most so many milliseconds.
    pub p99_ms: Option<f64>,
    /// Resident memory at its end, in bytes.
    pub resident_bytes: u64,
    /// Limits that were reached and messages that were rejected.
    pub refused: u64,
    /// Messages that wait for their homeserver at its end.
    pub waiting: u64,
}

/// Values of the process and the event loop at the end of a minute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Resident memory, in bytes.
    pub resident_bytes: u64,
    /// Limits that were reached and messages that were rejected, since the start.
    pub refused: u64,
    /// Messages that wait for their homeserver.
    pub waiting: u64,
}

/// The last hour.
pub struct History {
    points: VecDeque<Point>,
    began: Instant,
    durations: [u32; CLASSES],
    /// [`Sample::refused`] at the beginning of the minute.
    refused: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            points: VecDeque::new(),
            began: Instant::now(),
            durations: [0; CLASSES],
            refused: 0,
        }
    }
}

impl History {
    /// Records a completed request.
    pub(super) fn record(&mut self, elapsed: Duration) {
        let count = &mut self.durations[class(elapsed)];
        *count = count.saturating_add(1);
    }

    /// Ends the minute in progress.
    pub fn end_minute(&mut self, now: (Instant, SystemTime), sample: Sample) {
        if self.points.len() == POINTS {
            self.points.pop_front();
        }
        let point = self.in_progress(now, sample);
        self.points.push_back(point);
        self.began = now.0;
        self.durations = [0; CLASSES];
        self.refused = sample.refused;
    }

    /// The last hour, the minute in progress last.
    #[must_use]
    pub fn points(&self, now: (Instant, SystemTime), sample: Sample) -> Vec<Point> {
        let points = self.points.iter().cloned();
        points.chain([self.in_progress(now, sample)]).collect()
    }

    fn in_progress(&self, (now, at): (Instant, SystemTime), sample: Sample) -> Point {
        Point {
            unix_ms: unix_ms(at),
            seconds: now.saturating_duration_since(self.began).as_secs_f64(),
            requests: self.durations.iter().copied().map(u64::from).sum(),
            p50_ms: self.quantile(50),
            p99_ms: self.quantile(99),
            resident_bytes: sample.resident_bytes,
            refused: sample.refused.saturating_sub(self.refused),
            waiting: sample.waiting,
        }
    }

    fn quantile(&self, percent: u64) -> Option<f64> {
        let all: u64 = self.durations.iter().copied().map(u64::from).sum();
        let wanted = (all * percent).div_ceil(100);
        let mut below = 0;
        let found = self.durations.iter().position(|count| {
            below += u64::from(*count);
            below > 0 && below >= wanted
        });
        found.map(longest_ms)
    }
}

/// The class of a duration: of the same power of two and the same quarter of it.
fn class(elapsed: Duration) -> usize {
    let micros = u64::try_from(elapsed.as_micros())
        .unwrap_or(u64::MAX)
        .max(1);
    let exponent = micros.ilog2();
    let quarter = (u128::from(micros) << 2 >> exponent) as usize & 3;
    (exponent as usize * 4 + quarter).min(CLASSES - 1)
}

/// The longest duration of a class, in milliseconds.
fn longest_ms(class: usize) -> f64 {
    let (exponent, quarter) = (class / 4, class % 4);
    2_f64.powi(i32::try_from(exponent).unwrap_or(0)) * (5 + quarter) as f64 / 4.0 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(refused: u64) -> Sample {
        Sample {
            resident_bytes: 16 << 20,
            refused,
            waiting: refused / 3,
        }
    }

    #[test]
    fn an_hour_is_kept_and_the_minute_in_progress_is_the_last_point() {
        let (mut history, start) = (History::default(), Instant::now());
        for minute in 0..100 {
            for _ in 0..minute {
                history.record(Duration::from_millis(10));
            }
            let now = start + Duration::from_secs(60 * (minute + 1));
            history.end_minute((now, SystemTime::now()), sample(3 * minute));
        }
        history.record(Duration::from_millis(10));
        let now = start + Duration::from_secs(6030);
        let points = history.points((now, SystemTime::now()), sample(400));
        assert_eq!(points.len(), POINTS + 1);
        let requests: Vec<u64> = points.iter().map(|point| point.requests).collect();
        assert_eq!((requests[0], requests[59], requests[60]), (40, 99, 1));
        let last = &points[60];
        assert!((last.seconds - 30.0).abs() < 1.0, "{last:?}");
        assert_eq!((last.refused, points[59].refused), (103, 3));
        assert_eq!((last.waiting, points[59].waiting), (133, 99));
    }

    #[test]
    fn half_and_99_of_100_requests_were_as_fast_as_shown() {
        let mut history = History::default();
        let now = (Instant::now(), SystemTime::now());
        assert_eq!(history.points(now, sample(0))[0].p50_ms, None);
        for request in 0..1000 {
            history.record(Duration::from_millis(if request < 985 { 2 } else { 300 }));
        }
        let point = &history.points(now, sample(0))[0];
        let within = |value: Option<f64>, least: f64| {
            value.is_some_and(|value| (least..least * 1.25).contains(&value))
        };
        assert!(within(point.p50_ms, 2.0), "{point:?}");
        assert!(within(point.p99_ms, 300.0), "{point:?}");
    }

    #[test]
    fn every_duration_has_a_class_and_none_is_longer_than_its_class() {
        for micros in (0..100_000).chain([10_000_000, 3_000_000_000]) {
            let elapsed = Duration::from_micros(micros);
            let longest = longest_ms(class(elapsed));
            assert!(elapsed.as_secs_f64() * 1e3 <= longest, "{micros}");
        }
        assert_eq!(class(Duration::MAX), CLASSES - 1);
    }
}
