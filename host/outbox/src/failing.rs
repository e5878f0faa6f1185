//! Attempts without a final result: what waits, and for what.

use std::time::Duration;

use crate::holds::Timer;
use crate::lane::Turn;
use crate::retry::Retry;
use crate::scheduler::Scheduler;

impl Scheduler {
    /// The attempt of this lane has no final result.
    pub(crate) fn retry(&mut self, now: Duration, name: u64, why: Retry) {
        let Some((server, began)) = self.land(name) else {
            return;
        };
        let is_down = match why {
            // The connection failed now, whatever was before.
            Retry::Unreachable => server.failed(now),
            Retry::TimedOut => server.failed(began),
            Retry::Busy => false,
            Retry::Server | Retry::Limited(_) | Retry::Token => {
                server.succeeded(now);
                false
            }
        };
        let Some(lane) = self.lanes.get_mut(&name) else {
            return;
        };
        let account = lane.account;
        match why {
            _ if is_down => self.pause_server(now, name, why),
            Retry::Limited(pause) => {
                lane.turn = Turn::Account;
                let until = now + self.pauses.requested(pause);
                self.holds.hold(account, name, Some(until));
            }
            Retry::Token => {
                lane.turn = Turn::Account;
                self.holds.hold(account, name, None);
            }
            Retry::Unreachable | Retry::TimedOut | Retry::Server | Retry::Busy => {
                lane.failures = lane.failures.saturating_add(1);
                let until = now + self.pauses.after(lane.failures);
                lane.turn = Turn::Paused(until);
                self.holds.start(until, Timer::Lane(name));
            }
        }
    }

    /// The homeserver of this lane is down: the lane is the first to try again. Not after a timeout, which can be that
    /// of its room alone: then the others would never have a turn.
    fn pause_server(&mut self, now: Duration, name: u64, why: Retry) {
        let Some(lane) = self.lanes.get_mut(&name) else {
            return;
        };
        lane.turn = Turn::Ready;
        let Some(server) = self.servers.get_mut(&lane.server) else {
            return;
        };
        match why {
            Retry::TimedOut => server.ready.push_back(name),
            _ => server.ready.push_front(name),
        }
        let until = now + self.pauses.after(server.failures);
        if let Some(before) = server.down_until.replace(until) {
            self.holds.stop(before, Timer::Server(lane.server));
        }
        self.holds.start(until, Timer::Server(lane.server));
    }
}
