//! The caller of the endpoint: it responds to requests, and checks that each is whole and comes once.

use super::plan::Errand;
use super::world::{DEVICES, ERRANDS, Event, World};

impl World {
    /// The caller of the endpoint.
    pub(super) fn serve(&mut self) {
        while let Some(incoming) = self.server.endpoint.poll_request() {
            let Some(incoming) = self.serve_hostile(incoming) else {
                continue;
            };
            if incoming.request.peer >= DEVICES {
                self.room.response(&mut self.server, &incoming);
                continue;
            }
            let number = Errand::number_in(&incoming.request.message);
            let errand = &self.errands[&number];
            let now = self.server.now;
            let incoming = if errand.needs_proof {
                self.server.endpoint.prove_then(now, incoming)
            } else {
                Some(incoming)
            };
            let Some(incoming) = incoming else {
                continue;
            };
            self.trace(|| format!("errand {number} is processed, for {:?}", errand.thinking));
            assert_eq!(
                incoming.request.peer,
                (number / ERRANDS) as u16,
                "the device whose errand it is"
            );
            assert_eq!(
                incoming.request.message,
                errand.request(),
                "whole, without block options"
            );
            let alone = self.in_progress.insert(number);
            let is_right = alone || errand.is_safe();
            assert!(is_right, "{errand:?} is processed twice at a time");
            *self.processed.entry(number).or_default() += 1;
            let at = self.server.now + errand.thinking;
            self.at(at, Event::Respond(incoming.id, number));
        }
        for delivered in self.room.notify(&mut self.server) {
            let watcher = &self.watchers[usize::from(delivered.peer - DEVICES)];
            assert!(
                watcher.has(delivered.number),
                "message {} counts as delivered, but device {} has never received it",
                delivered.number,
                delivered.peer
            );
            self.tally.notified += 1;
        }
    }
}
