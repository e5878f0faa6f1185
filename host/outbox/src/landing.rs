//! Attempts that have ended, and the lanes that go on.

use std::time::Duration;

use crate::lane::Turn;
use crate::scheduler::Scheduler;
use crate::server::Server;

impl Scheduler {
    /// The attempt of this lane has a final result: its oldest delivery leaves.
    pub(crate) fn finish(&mut self, now: Duration, name: u64) {
        if let Some((server, _)) = self.land(name) {
            server.succeeded(now);
            self.next_of(name);
        }
    }

    /// The attempt of this lane has no result, and its delivery leaves.
    pub(crate) fn give_up(&mut self, name: u64) {
        if self.land(name).is_some() {
            self.next_of(name);
        }
    }

    /// The oldest of a lane leaves.
    fn next_of(&mut self, name: u64) {
        let Some(lane) = self.lanes.get_mut(&name) else {
            return;
        };
        lane.pop();
        match lane.first() {
            Some(_) => self.make_ready(name),
            None => self.end_lane(name),
        }
    }

    /// The homeserver of a lane in flight, whose attempt has ended, and when the attempt began.
    pub(crate) fn land(&mut self, name: u64) -> Option<(&mut Server, Duration)> {
        let lane = self.lanes.get(&name)?;
        let Turn::InFlight(began) = lane.turn else {
            return None;
        };
        let server = self.servers.get_mut(&lane.server)?;
        server.in_flight = server.in_flight.saturating_sub(1);
        Some((server, began))
    }
}
