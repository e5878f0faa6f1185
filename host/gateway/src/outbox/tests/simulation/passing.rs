//! Time passes in a world.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::world::World;

/// A wait goes on in steps of at most this much while something is in flight.
const STEP: Duration = Duration::from_millis(500);

impl World {
    /// Time passes; what is due is done.
    pub async fn wait(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            self.turn();
            let now = Instant::now();
            if now >= end {
                return;
            }
            let mut next = end;
            if let Some(process) = &self.process {
                let due = process
                    .next()
                    .map(|due| due.max(now + Duration::from_millis(1)));
                next = next.min(due.unwrap_or(end));
                if !process.pending.is_empty() {
                    next = next.min(now + STEP);
                }
            }
            let homeserver = self.network.0.borrow().next();
            next = next.min(
                homeserver
                    .unwrap_or(end)
                    .max(now + Duration::from_millis(1)),
            );
            advance(next - now).await;
        }
    }

    /// Time passes without the gateway.
    pub async fn pass(&mut self, time: Duration) {
        assert!(self.process.is_none());
        self.wait(time).await;
    }

    /// All that needs no time, until nothing is left to do, or the power is cut.
    pub fn turn(&mut self) {
        while self.half_turn() {
            if self.process.is_some() && !self.disk.has_power() {
                // What the disk has taken before the cut may have been heard.
                if self.dice.quarters(2) {
                    self.half_turn_of_process();
                }
                self.kill();
            }
        }
    }

    /// Whether anything was done.
    fn half_turn(&mut self) -> bool {
        self.network.0.borrow_mut().turn();
        let mut did = self.half_turn_of_process();
        if let Some(process) = &mut self.process {
            did |= process.owner.turn();
        }
        did
    }

    /// Goes on, without the disk.
    pub fn half_turn_of_process(&mut self) -> bool {
        let Some(process) = &mut self.process else {
            return false;
        };
        let done = process.settle();
        let ended = process.deliveries.take_ended();
        let did = !done.is_empty();
        done.into_iter().for_each(|done| self.on_done(done));
        ended.into_iter().for_each(|id| self.on_ended(id));
        did
    }
}
