//! Observations of peers whose address is not proven: they make room for others, and end if the peer does not respond.

use std::hash::Hash;

use crate::observation::ObservationId;
use crate::observer_table::Observations;
use crate::peer::Peer;
use share::Refused;

impl<P: Clone + Eq + Hash, C> Observations<P, C> {
    /// The observation to end so that this peer gets one: the oldest of a peer whose address is not proven, and of the
    /// same host if that has its share. None if there is room, if proven peers have every place, or if its end would
    /// make no room.
    pub(super) fn to_displace(&self, peer: &Peer<P>) -> Option<ObservationId> {
        let of_peer = self.by_peer.get(peer).map_or(0, Vec::len);
        if of_peer >= self.limit_per_peer {
            return None;
        }
        let refused = self.shares.admit(peer.owner, Self::PIECE).err()?;
        let of_all = self.unproven.first().filter(|_| refused == Refused::InAll);
        let holder = peer.owner.holder();
        let of_holder = (holder, ObservationId(0))..=(holder, ObservationId(u64::MAX));
        let of_holder = self.unproven_of.range(of_holder).next().map(|(_, id)| id);
        // After the limits were lowered, the end of one makes no room.
        let makes_room = |id: &&ObservationId| {
            self.by_id.get(id).is_some_and(|ended| {
                let ended = ended.peer.owner;
                let admitted = self.shares.admit_instead(peer.owner, ended, Self::PIECE);
                admitted.is_ok()
            })
        };
        [of_all, of_holder]
            .into_iter()
            .flatten()
            .find(makes_room)
            .copied()
    }

    /// Whether its peer's address was not proven when it began, nor since.
    pub(super) fn is_unproven(&self, id: ObservationId) -> bool {
        self.unproven.contains(&id)
    }

    /// The peer has proven its address.
    pub(super) fn mark_proven(&mut self, peer: &Peer<P>) {
        for id in self.by_peer.get(peer).into_iter().flatten() {
            self.unproven.remove(id);
            if let Some(observation) = self.by_id.get(id) {
                let holder = observation.peer.owner.holder();
                self.unproven_of.remove(&(holder, *id));
            }
        }
    }

    /// Those that began while its address was not proven, and that nothing has proven since.
    pub(super) fn unproven_of(&self, peer: &Peer<P>) -> Vec<ObservationId> {
        let ids = self.by_peer.get(peer).into_iter().flatten();
        ids.filter(|id| self.unproven.contains(id))
            .copied()
            .collect()
    }
}
