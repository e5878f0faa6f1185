//! Pauses that end before their time.

use crate::holds::Timer;
use crate::lane::Turn;
use crate::outbox::Outbox;
use crate::record::RecordNumber;
use crate::scheduler::Scheduler;

impl Outbox {
    /// Ends all pauses: the configuration or a token has changed, or the operator asks for it.
    pub fn set_going(&mut self) {
        self.scheduler.set_going();
    }

    /// An account has another access token: its lanes that wait for one go on.
    pub fn token_renewed(&mut self, account: u64) {
        if self.needs_token(account) {
            let freed = self.scheduler.holds.free(account);
            freed
                .into_iter()
                .for_each(|lane| self.scheduler.make_ready(lane));
        }
    }

    /// Ends the pauses that this record waits for: of its lane, its account and its homeserver. Its lane is the next.
    pub fn set_going_for(&mut self, number: RecordNumber) {
        if let Some(record) = self.records.get(number) {
            self.scheduler.set_going_for(record.origin.lane);
        }
    }
}

impl Scheduler {
    /// Ends all pauses: the configuration or a token has changed, or the operator asks for it.
    pub(crate) fn set_going(&mut self) {
        let (lanes, timers) = self.holds.take_all();
        lanes.into_iter().for_each(|lane| self.make_ready(lane));
        timers.into_iter().for_each(|timer| self.elapsed(timer));
    }

    /// Ends the pauses of a lane, of its account and of its homeserver. The lane is the next one there.
    pub(crate) fn set_going_for(&mut self, name: u64) {
        let Some(lane) = self.lanes.get(&name) else {
            return;
        };
        let (account, server) = (lane.account, lane.server);
        if let Turn::Paused(until) = lane.turn {
            self.holds.stop(until, Timer::Lane(name));
            self.make_ready(name);
        }
        let freed = self.holds.free(account);
        freed.into_iter().for_each(|lane| self.make_ready(lane));
        let Some(at_server) = self.servers.get_mut(&server) else {
            return;
        };
        if let Some(until) = at_server.down_until.take() {
            self.holds.stop(until, Timer::Server(server));
        }
        let ready = &mut at_server.ready;
        if let Some(place) = ready.iter().position(|other| *other == name) {
            ready.remove(place);
            ready.push_front(name);
        }
    }
}
