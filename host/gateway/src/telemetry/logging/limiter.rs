//! Limits the number of log lines: flash memory has a limited number of writes, and neither a flood of datagrams nor a
//! homeserver that is down for a day may fill it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing::callsite::Identifier;

use super::window::{SECOND, Window};
use crate::telemetry::log_message::without_numbers;
use contract::escaping::escaped;

/// Lines of requests in a second: a thousand devices every ten seconds. Other lines of this level are rare.
pub(crate) const INFO_PER_SECOND: u32 = 100;
/// Lines for debugging in a second: several for each of those requests.
const DEBUG_PER_SECOND: u32 = 1000;
/// Lines about an operator's commands and the state of gateway and rules in a second: more than an operator, or a file
/// that is replaced without end, can cause. Devices cannot cause any of them at a rate of their choice.
const OPERATOR_PER_SECOND: u32 = 200;
/// A warning that repeats within this time is counted and not written.
const FIRST_SILENCE: Duration = Duration::from_secs(60);
/// The time doubles at each repetition, up to this: a homeserver that is down for a day makes some 150 lines.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);
/// Kinds of warnings with counts of their own. All others are counted together.
const MAX_KINDS: usize = 128;
/// Kinds of one place in the program: texts that devices influence must not take the room of all others.
const MAX_KINDS_OF_CALLSITE: usize = 16;
/// Bytes of a warning in the line with its count.
const SHOWN: usize = 200;

/// The recent lines.
pub(super) struct Limiter {
    hashes: RandomState,
    kinds: HashMap<u64, Kind>,
    /// Warnings of kinds without a count of their own.
    others: Window,
    info: Window,
    debug: Window,
    operator: Window,
}

/// Warnings with the same text, apart from numbers.
struct Kind {
    callsite: Identifier,
    shown: String,
    until: Instant,
    silence: Duration,
    left_out: u64,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            hashes: RandomState::new(),
            kinds: HashMap::new(),
            others: Window::default(),
            info: Window::default(),
            debug: Window::default(),
            operator: Window::default(),
        }
    }

    /// Whether a line about the operation may be written, of any level: the lines of devices take none of its room.
    pub(super) fn admit_operator(&mut self, now: Instant) -> bool {
        self.operator.admit(now, OPERATOR_PER_SECOND)
    }

    /// Whether a line of level info or finer may be written.
    pub(super) fn admit(&mut self, now: Instant, level: Level) -> bool {
        match level {
            Level::INFO => self.info.admit(now, INFO_PER_SECOND),
            _ => self.debug.admit(now, DEBUG_PER_SECOND),
        }
    }

    /// Whether a warning or an error may be written.
    pub(super) fn admit_warning(
        &mut self,
        now: Instant,
        callsite: Identifier,
        message: &str,
    ) -> bool {
        let text: String = without_numbers(message).collect();
        let hash = self.hashes.hash_one((&callsite, text));
        if let Some(kind) = self.kinds.get_mut(&hash) {
            kind.left_out += 1;
            return false;
        }
        let of_callsite = self.kinds.values().filter(|kind| kind.callsite == callsite);
        if self.kinds.len() >= MAX_KINDS || of_callsite.count() >= MAX_KINDS_OF_CALLSITE {
            return self.others.admit(now, 0);
        }
        let kind = Kind {
            callsite,
            shown: escaped(message, SHOWN),
            until: now + FIRST_SILENCE,
            silence: FIRST_SILENCE,
            left_out: 0,
        };
        self.kinds.insert(hash, kind);
        true
    }

    /// Lines with the counts of lines that were left out, once their time is over.
    pub(super) fn due(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        self.kinds.retain(|_, kind| {
            if now < kind.until {
                return true;
            }
            if kind.left_out == 0 {
                return false;
            }
            lines.push(kind.summary());
            kind.silence = (kind.silence * 2).min(LONGEST_SILENCE);
            kind.until = now + kind.silence;
            true
        });
        lines.sort_unstable();
        lines.extend(
            self.others
                .due(now, FIRST_SILENCE, "warnings and errors of other kinds"),
        );
        lines.extend(self.info.due(now, SECOND, "lines of requests"));
        lines.extend(self.debug.due(now, SECOND, "lines for debugging"));
        lines.extend(self.operator.due(now, SECOND, "lines about the operation"));
        lines
    }

    /// All counts at the end, even if their time is not over.
    pub(super) fn end(&mut self) -> Vec<String> {
        self.due(Instant::now() + LONGEST_SILENCE)
    }

    /// The time of the next possible count.
    pub(super) fn next(&self) -> Option<Instant> {
        let kinds = self.kinds.values().map(|kind| kind.until).min();
        let windows = [
            self.others.next(0, FIRST_SILENCE),
            self.info.next(INFO_PER_SECOND, SECOND),
            self.debug.next(DEBUG_PER_SECOND, SECOND),
            self.operator.next(OPERATOR_PER_SECOND, SECOND),
        ];
        kinds.into_iter().chain(windows.into_iter().flatten()).min()
    }
}

impl Kind {
    fn summary(&mut self) -> String {
        let (count, seconds) = (std::mem::take(&mut self.left_out), self.silence.as_secs());
        format!("{count} more within {seconds} s: {}", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use tracing::callsite::Callsite;

    use super::*;

    /// Two places in the program.
    fn callsite(second: bool) -> Identifier {
        let one =
            tracing::callsite!(name: "one", kind: tracing::metadata::Kind::EVENT, fields: message);
        let two =
            tracing::callsite!(name: "two", kind: tracing::metadata::Kind::EVENT, fields: message);
        let callsite: &'static dyn Callsite = if second { two } else { one };
        Identifier(callsite)
    }

    #[test]
    fn a_repeated_warning_is_counted_and_reported_once_a_minute() {
        let (mut limiter, start) = (Limiter::new(), Instant::now());
        let warn = |limiter: &mut Limiter, seconds, text: &str| {
            limiter.admit_warning(start + Duration::from_secs(seconds), callsite(false), text)
        };
        assert!(warn(&mut limiter, 0, "10 calls failed"));
        assert!(!warn(&mut limiter, 30, "11 calls failed"));
        assert!(!warn(&mut limiter, 59, "12 calls failed"));
        assert!(
            warn(&mut limiter, 59, "a call was denied"),
            "of another kind"
        );
        let minute = limiter.next().expect("a kind is open");
        assert_eq!(minute, start + FIRST_SILENCE);
        let said = limiter.due(minute);
        assert_eq!(said, ["2 more within 60 s: 10 calls failed"]);
        // It continues: the next count comes after two minutes.
        assert!(!warn(&mut limiter, 61, "13 calls failed"));
        assert_eq!(limiter.due(start + Duration::from_secs(119)).len(), 0);
        assert_eq!(limiter.due(start + Duration::from_secs(180)).len(), 1);
        // It has stopped, and is written at once when it occurs again.
        assert_eq!(limiter.due(start + Duration::from_secs(500)).len(), 0);
        assert_eq!(limiter.next(), None);
        assert!(warn(&mut limiter, 501, "14 calls failed"));
    }

    #[test]
    fn a_day_of_a_warning_every_second_is_some_150_lines() {
        let (mut limiter, start) = (Limiter::new(), Instant::now());
        let mut lines = 0;
        for second in 0..86_400 {
            let now = start + Duration::from_secs(second);
            lines += usize::from(limiter.admit_warning(now, callsite(false), "gone"));
            lines += limiter.due(now).len();
        }
        assert!((100..160).contains(&lines), "{lines}");
    }

    #[test]
    fn endless_texts_of_one_place_leave_room_for_others() {
        let (mut limiter, start) = (Limiter::new(), Instant::now());
        let text = |number: u32| "x".repeat(number as usize + 1);
        let flood = (0..1000).filter(|n| limiter.admit_warning(start, callsite(false), &text(*n)));
        assert_eq!(flood.count(), MAX_KINDS_OF_CALLSITE);
        assert!(limiter.admit_warning(start, callsite(true), "else"));
        let said = limiter.due(start + FIRST_SILENCE);
        assert_eq!(
            said,
            ["984 warnings and errors of other kinds left out within 60 s"]
        );
        assert_eq!(limiter.next(), None);
    }

    #[test]
    fn a_flood_of_requests_is_a_hundred_lines_a_second_and_a_count() {
        let (mut limiter, start) = (Limiter::new(), Instant::now());
        let mut written = 0;
        let mut said = Vec::new();
        for millisecond in 0..3000 {
            let now = start + Duration::from_millis(millisecond);
            said.extend(limiter.due(now));
            written += (0..10).filter(|_| limiter.admit(now, Level::INFO)).count();
        }
        assert_eq!(written, 300);
        let one = "9900 lines of requests left out within 1 s";
        assert_eq!(said.first().map(String::as_str), Some(one));
        assert_eq!(said.len(), 2);
        assert_eq!(limiter.end().len(), 1, "the last second's");
        assert_eq!(limiter.next(), None);
    }

    #[test]
    fn a_flood_of_requests_and_warnings_leaves_the_operators_lines_their_room() {
        let (mut limiter, start) = (Limiter::new(), Instant::now());
        for number in 0..10_000_usize {
            limiter.admit(start, Level::INFO);
            limiter.admit_warning(start, callsite(false), &"x".repeat(number % 300));
        }
        let written = (0..1000).filter(|_| limiter.admit_operator(start));
        assert_eq!(written.count(), 200);
        let said = limiter.due(start + SECOND);
        assert!(said.contains(&"800 lines about the operation left out within 1 s".into()));
    }

    #[test]
    fn an_ordinary_second_leaves_nothing_out() {
        let (mut limiter, start) = (Limiter::new(), Instant::now());
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(
                (0..50).filter(|_| limiter.admit(now, Level::INFO)).count(),
                50
            );
            assert_eq!(limiter.next(), None);
        }
    }
}
