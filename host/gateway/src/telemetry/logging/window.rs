//! A bound of lines per second, and the number of lines beyond it.

use std::time::{Duration, Instant};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Lines that share one count.
#[derive(Default)]
pub(super) struct Window {
    began: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Window {
    /// Whether it has room for one more line, of `most` per second.
    pub(super) fn admit(&mut self, now: Instant, most: u32) -> bool {
        let began = self.began.get_or_insert(now);
        // The count is reported before a new second starts.
        if now >= *began + SECOND && self.left_out == 0 {
            *began = now;
            self.written = 0;
        }
        if self.written < most {
            self.written += 1;
            return true;
        }
        self.left_out += 1;
        false
    }

    /// The line with the count, once the time is over.
    pub(super) fn due(&mut self, now: Instant, length: Duration, kind: &str) -> Option<String> {
        let is_over = self.began.is_some_and(|began| now >= began + length);
        if !is_over {
            return None;
        }
        let count = std::mem::take(self).left_out;
        (count > 0).then(|| format!("{count} {kind} left out within {} s", length.as_secs()))
    }

    /// The time of the next possible count.
    pub(super) fn next(&self, most: u32, length: Duration) -> Option<Instant> {
        let is_full = self.written >= most;
        self.began.filter(|_| is_full).map(|began| began + length)
    }
}
