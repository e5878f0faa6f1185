//! The last warnings and errors of the log, for the status page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::telemetry::access_log::MAX_LINE_BYTES;
use crate::telemetry::log_message::{self, without_numbers};
use crate::telemetry::recorder::unix_ms;
use contract::escaping::escaped;

/// Lines that are kept: as many as a person reads. A repeated line is kept once.
const KEPT: usize = 50;

/// A warning or an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Time of the last occurrence, in milliseconds since 1970.
    pub unix_ms: u64,
    /// `ERROR` or `WARN`.
    pub level: String,
    /// The event and its remedy.
    pub message: String,
    /// How often it occurred while it was kept.
    pub count: u64,
}

/// Collects the last lines as a layer of the log. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RecentWarnings(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    /// The newest last.
    last: VecDeque<Warning>,
    errors: u64,
    warnings: u64,
}

impl RecentWarnings {
    /// The last warnings and errors, the newest first.
    #[must_use]
    pub fn latest(&self) -> Vec<Warning> {
        self.lock().last.iter().rev().cloned().collect()
    }

    /// Numbers of errors and warnings since the start.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let lines = self.lock();
        (lines.errors, lines.warnings)
    }

    fn add(&self, at: SystemTime, level: Level, message: String) {
        let mut lines = self.lock();
        if level == Level::ERROR {
            lines.errors += 1;
        } else {
            lines.warnings += 1;
        }
        let level = level.to_string();
        // Compared without numbers, as the log's limiter does: a warning with a count must not push out the others.
        let is_same = |other: &Warning| {
            other.level == level && without_numbers(&other.message).eq(without_numbers(&message))
        };
        let index = lines.last.iter().position(is_same);
        let before = index.and_then(|index| lines.last.remove(index));
        if lines.last.len() == KEPT {
            lines.last.pop_front();
        }
        lines.last.push_back(Warning {
            unix_ms: unix_ms(at),
            level,
            message,
            count: before.map_or(0, |before| before.count) + 1,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for RecentWarnings {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = *event.metadata().level();
        if level <= Level::WARN {
            let message = escaped(&log_message::text(event), MAX_LINE_BYTES);
            self.add(SystemTime::now(), level, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn the_last_warnings_and_errors_are_kept_and_repeated_ones_once() {
        let warnings = RecentWarnings::default();
        let log = tracing_subscriber::registry().with(warnings.clone());
        tracing::subscriber::with_default(log, || {
            for number in 0..2 * KEPT {
                let name = "x".repeat(number);
                tracing::warn!("problem {name}");
            }
            tracing::error!(peer = 1, "a line\nand another one");
            tracing::warn!("problem {}7", "x".repeat(99));
            tracing::info!("all is well");
        });
        let latest = warnings.latest();
        assert_eq!(latest.len(), KEPT);
        let shown = |warning: &Warning| (warning.message.clone(), warning.count);
        assert_eq!(
            shown(&latest[0]),
            (format!("problem {}7", "x".repeat(99)), 2)
        );
        assert_eq!(shown(&latest[1]), ("a line\\u{a}and another one".into(), 1));
        assert_eq!(latest[1].level, "ERROR");
        assert_eq!(warnings.counts(), (1, 101));
    }
}
