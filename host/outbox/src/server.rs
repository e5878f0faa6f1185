//! A homeserver as the scheduler sees it: whether it is down, and how many lanes may use it.

use std::collections::VecDeque;
use std::time::Duration;

/// Lanes in flight at once toward one homeserver: when it returns, a thousand gateways must not come as one.
pub(crate) const MOST_LANES: u32 = 16;

/// Results in memory that wait for the disk, which can be full: twice what comes while the disk has one commit.
const MOST_RECORDING: u32 = 2 * MOST_LANES;

#[derive(Debug)]
pub(crate) struct Server {
    /// Lanes with deliveries that wait.
    pub(crate) lanes: usize,
    /// Lanes whose oldest delivery may be attempted, in the order of their turns.
    pub(crate) ready: VecDeque<u64>,
    /// Attempts in flight.
    pub(crate) in_flight: u32,
    /// Lanes whose results are being recorded.
    pub(crate) recording: u32,
    /// Attempts that may be in flight: 1 after it was down, doubled by each success.
    pub(crate) window: u32,
    /// Failures in a row that concern all lanes.
    pub(crate) failures: u32,
    /// No attempt before this time.
    pub(crate) down_until: Option<Duration>,
    /// The last response.
    pub(crate) responded: Option<Duration>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            lanes: 0,
            ready: VecDeque::new(),
            in_flight: 0,
            recording: 0,
            window: 1,
            failures: 0,
            down_until: None,
            responded: None,
        }
    }
}

impl Server {
    /// Whether an attempt may begin.
    pub(crate) fn is_open(&self, now: Duration) -> bool {
        let has_room = self.in_flight < self.window && self.recording < MOST_RECORDING;
        has_room && self.down_until.is_none_or(|until| until <= now)
    }

    /// It has responded.
    pub(crate) fn succeeded(&mut self, now: Duration) {
        self.responded = Some(now);
        self.failures = 0;
        self.down_until = None;
        self.window = (2 * self.window).min(MOST_LANES);
    }

    /// It has not responded to an attempt that began at `began`. Returns whether it counts as down: not if another
    /// attempt was successful since then, for example in another room.
    pub(crate) fn failed(&mut self, began: Duration) -> bool {
        if self.responded.is_some_and(|responded| responded > began) {
            self.window = (self.window / 2).max(1);
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        self.window = 1;
        true
    }
}
