//! Handshakes that are not complete: who has how many, and which one leaves for a new one.
//!
//! Anybody who receives datagrams at an address can have one. So whoever has many addresses fills the room, but must
//! not keep new devices out: a full room takes the oldest handshake of the network that has most.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use share::{Amount, Bounds, Held, Owner, Refused, Shares};

const ONE: Amount = Amount::piece(0);

/// The handshakes of a server.
pub(super) struct Pending<P> {
    shares: Shares,
    /// By their numbers, so the oldest first.
    by_age: BTreeMap<u64, (P, Owner)>,
}

/// Where a new handshake finds its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<P> {
    Free,
    /// In place of the one of this peer, which ends for this reason.
    Of(P, Refused),
}

impl<P: Clone> Pending<P> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            shares: Shares::new(bounds),
            by_age: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    /// The place for another handshake. A host that has its share gets none. In a network that has its share, and in a
    /// full room, another one leaves: the oldest of the host that has most, in the network that has most, if they have
    /// more than the newcomer's. Who floods pays with its own handshakes, and a device that has none gets in.
    ///
    /// # Errors
    /// The level that has no room, if nobody has more than the newcomer.
    pub(super) fn place(&self, owner: Owner) -> Result<Place<P>, Refused> {
        let held = self.shares.held(owner);
        let others_aside = Held {
            in_all: Amount::default(),
            ..held
        };
        let full = match self.shares.bounds().admit(others_aside, ONE) {
            Ok(()) => match self.shares.admit(owner, ONE) {
                Ok(()) => return Ok(Place::Free),
                Err(refused) => refused,
            },
            Err(refused) => refused,
        };
        let heaviest = match full {
            Refused::Host => None,
            Refused::Network => self.heaviest(|other| other.network == owner.network),
            Refused::InAll => self.heaviest(|_| true),
        };
        let leaving = heaviest.filter(|(weight, _)| match full {
            Refused::InAll => weight.network > self.weight(owner).network,
            _ => weight.host > held.host.pieces,
        });
        leaving.map(|(_, peer)| Place::Of(peer, full)).ok_or(full)
    }

    /// The oldest handshake of the heaviest host of the heaviest network, of those that `is_meant` names. It looks at
    /// all: 256 take some microseconds, a part of what a handshake takes.
    fn heaviest(&self, is_meant: impl Fn(Owner) -> bool) -> Option<(Weight, P)> {
        let meant = self
            .by_age
            .iter()
            .filter(|(_, (_, owner))| is_meant(*owner));
        let heaviest =
            meant.max_by_key(|(number, (_, owner))| (self.weight(*owner), Reverse(**number)));
        heaviest.map(|(_, (peer, owner))| (self.weight(*owner), peer.clone()))
    }

    fn weight(&self, owner: Owner) -> Weight {
        Weight {
            network: self.shares.held_by_holder(owner).pieces,
            host: self.shares.held(owner).host.pieces,
        }
    }

    pub(super) fn add(&mut self, number: u64, peer: P, owner: Owner) {
        self.shares.add(owner, ONE);
        self.by_age.insert(number, (peer, owner));
    }

    pub(super) fn remove(&mut self, number: u64) {
        if let Some((_, owner)) = self.by_age.remove(&number) {
            self.shares.give_back(owner, ONE);
        }
    }
}

/// What a network has, and a host of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    network: usize,
    host: usize,
}
