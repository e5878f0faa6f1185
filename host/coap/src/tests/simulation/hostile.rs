//! The adversary's part in a world.

use super::adversary::{Adversary, Forged, HOSTILE, NOBODY};
use super::world::World;
use super::*;

/// One world in so many has no adversary: there, no honest message may be taken for an attack.
const PEACEFUL: u64 = 11;

impl World {
    /// The adversary of a seed. `devices`: the peers below this number are honest.
    pub(super) fn adversary_of(seed: u64, devices: u16, now: Instant) -> Option<Adversary> {
        let is_peaceful = seed % PEACEFUL == PEACEFUL - 1;
        (!is_peaceful).then(|| Adversary::new(seed, devices, now))
    }

    /// Lets the adversary act, if it is its time.
    pub(super) fn attack(&mut self) {
        let now = self.server.now;
        let is_due =
            |adversary: &&mut Adversary| adversary.next_timeout().is_some_and(|due| due <= now);
        let Some(adversary) = self.adversary.as_mut().filter(is_due) else {
            return;
        };
        // Its datagrams arrive as it likes, so the network does nothing to them.
        for forged in adversary.act(now) {
            self.tally.forged += 1;
            let (Forged::ToServer(peer, bytes) | Forged::ToDevice(peer, bytes)) = &forged;
            self.trace(|| format!("forged: peer {peer} {:?}", decode(bytes)));
            match forged {
                Forged::ToServer(peer, bytes) => self.arrive(peer, &bytes),
                Forged::ToDevice(device, bytes) => self.deliver(device, &bytes),
            }
        }
    }

    /// Whether this is a request of the adversary. The caller responds to it at once, and to a PUT only if its address
    /// is proven.
    pub(super) fn serve_hostile(&mut self, incoming: Incoming<u16>) -> Option<Incoming<u16>> {
        let now = self.server.now;
        let request = &incoming.request;
        if request.message.option(URI_PATH) != Some(HOSTILE.as_bytes()) {
            return Some(incoming);
        }
        let (peer, observes) = (request.peer, request.observes);
        let needs_proof = request.message.code == code::PUT;
        let endpoint = &mut self.server.endpoint;
        let incoming = if needs_proof {
            endpoint.prove_then(now, incoming)?
        } else {
            incoming
        };
        let is_nobody = peer >= NOBODY && self.validates;
        assert!(
            !(needs_proof && is_nobody),
            "nobody is at {peer}, and nobody proves it"
        );
        // Where every address counts as proven, an observation would last for ever.
        if observes && self.validates {
            let response = Message::new(code::CONTENT);
            endpoint.respond_observing(now, incoming.id, response, None);
        } else {
            endpoint.respond(now, incoming.id, changed());
        }
        None
    }
}
