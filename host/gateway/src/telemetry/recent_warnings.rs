//! The last warnings and errors of the log, for the status page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::telemetry::access_log::MAX_LINE_BYTES;
use crate::telemetry::log_message::{self, without_numbers};
use crate::telemetry::recorder::unix_ms;
use contract::escaping::escaped;

/// Lines that are kept: as many as a person reads. A repeated line is kept once.
const KEPT: usize = 50;
/// Those of one place in the program: texts that devices or homeservers influence must not push out all others.
const KEPT_OF_CALLSITE: usize = 10;

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
    last: VecDeque<(Identifier, Warning)>,
    errors: u64,
    warnings: u64,
}

impl RecentWarnings {
    /// The last warnings and errors, the newest first.
    #[must_use]
    pub fn latest(&self) -> Vec<Warning> {
        let lines = self.lock();
        let newest_first = lines.last.iter().rev();
        newest_first.map(|(_, warning)| warning.clone()).collect()
    }

    /// Numbers of errors and warnings since the start.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let lines = self.lock();
        (lines.errors, lines.warnings)
    }

    fn add(&self, at: SystemTime, level: Level, callsite: Identifier, message: String) {
        let mut lines = self.lock();
        if level == Level::ERROR {
            lines.errors += 1;
        } else {
            lines.warnings += 1;
        }
        let level = level.to_string();
        // Compared without numbers, as the log's limiter does: a warning with a count must not push out the others.
        let is_same = |(_, other): &(Identifier, Warning)| {
            other.level == level && without_numbers(&other.message).eq(without_numbers(&message))
        };
        let index = lines.last.iter().position(is_same);
        let before = index.and_then(|index| lines.last.remove(index));
        let is_of_callsite = |(other, _): &(Identifier, Warning)| *other == callsite;
        let of_callsite = lines.last.iter().filter(|kept| is_of_callsite(kept));
        if of_callsite.count() == KEPT_OF_CALLSITE
            && let Some(oldest) = lines.last.iter().position(is_of_callsite)
        {
            lines.last.remove(oldest);
        } else if lines.last.len() == KEPT {
            lines.last.pop_front();
        }
        let warning = Warning {
            unix_ms: unix_ms(at),
            level,
            message,
            count: before.map_or(0, |(_, before)| before.count) + 1,
        };
        lines.last.push_back((callsite, warning));
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
            let callsite = event.metadata().callsite();
            self.add(SystemTime::now(), level, callsite, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Warnings of six places, each with this many texts.
    fn warn_of_six_places(texts: usize) {
        for name in (0..texts).map(|length| "x".repeat(length)) {
            tracing::warn!("problem {name}");
            tracing::warn!("second problem {name}");
            tracing::warn!("third problem {name}");
            tracing::warn!("fourth problem {name}");
            tracing::warn!("fifth problem {name}");
            tracing::warn!("sixth problem {name}");
        }
    }

    #[test]
    fn the_last_warnings_and_errors_are_kept_and_repeated_ones_once() {
        let warnings = RecentWarnings::default();
        let log = tracing_subscriber::registry().with(warnings.clone());
        tracing::subscriber::with_default(log, || {
            warn_of_six_places(KEPT);
            tracing::error!(peer = 1, "a line\nand another one");
            warn_of_six_places(1);
            tracing::info!("all is well");
            warn_of_six_places(1);
        });
        let latest = warnings.latest();
        assert_eq!(latest.len(), KEPT);
        let shown = |warning: &Warning| (warning.message.clone(), warning.count);
        assert_eq!(shown(&latest[0]), ("sixth problem ".into(), 2));
        assert_eq!(shown(&latest[6]), ("a line\\u{a}and another one".into(), 1));
        assert_eq!(latest[6].level, "ERROR");
        assert_eq!(warnings.counts(), (1, 6 * (KEPT as u64 + 2)));
    }

    #[test]
    fn endless_texts_of_one_place_leave_the_warnings_of_others() {
        let warnings = RecentWarnings::default();
        let log = tracing_subscriber::registry().with(warnings.clone());
        tracing::subscriber::with_default(log, || {
            tracing::warn!("the disk is full");
            for name in (0..10 * KEPT).map(|length| "x".repeat(length)) {
                tracing::warn!("no homeserver {name}");
            }
        });
        let latest = warnings.latest();
        assert_eq!(latest.len(), KEPT_OF_CALLSITE + 1);
        assert_eq!(latest[KEPT_OF_CALLSITE].message, "the disk is full");
    }
}
