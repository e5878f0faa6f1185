//! Attempts that have ended, and the lanes that go on.

use std::time::Duration;

use crate::lane::Turn;
use crate::scheduler::Scheduler;
use crate::server::Server;

impl Scheduler {
    /// The homeserver has responded to the attempt of this lane: the next lane may use it while the result is recorded.
    pub(crate) fn record(&mut self, now: Duration, name: u64) {
        if let Some(lane) = self.lanes.get_mut(&name)
            && let Turn::InFlight(began) = lane.turn
            && let Some(server) = self.servers.get_mut(&lane.server)
        {
            lane.turn = Turn::Recording(began);
            server.in_flight = server.in_flight.saturating_sub(1);
            server.recording += 1;
            server.succeeded(now);
        }
    }

    /// The attempt of this lane has a final result: its oldest delivery leaves.
    pub(crate) fn finish(&mut self, now: Duration, name: u64) {
        self.record(now, name);
        if self.land(name).is_some() {
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

    /// The homeserver of a lane whose attempt has ended, and when the attempt began.
    pub(crate) fn land(&mut self, name: u64) -> Option<(&mut Server, Duration)> {
        let lane = self.lanes.get(&name)?;
        let server = self.servers.get_mut(&lane.server)?;
        let (place, began) = match lane.turn {
            Turn::InFlight(began) => (&mut server.in_flight, began),
            Turn::Recording(began) => (&mut server.recording, began),
            _ => return None,
        };
        *place = place.saturating_sub(1);
        Some((server, began))
    }
}
