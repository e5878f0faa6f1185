//! Retained responses in three orders of age: of all, of each holder of a share, and of each peer.

use crate::message_key::MessageKey;
use crate::observation::ObservationId;
use crate::peer::{Map, Peer};
use share::{Amount, Bounds, Shares};
use std::time::Instant;

/// A request with its response.
pub(super) struct Retained<P> {
    pub(super) peer: Peer<P>,
    pub(super) key: MessageKey,
    /// The observation that began with it.
    pub(super) observation: Option<ObservationId>,
    /// It was protected: unprotected again, it would count as a replay (RFC 8613 §7.4).
    pub(super) is_protected: bool,
    pub(super) expires: Instant,
    /// Sent again to a duplicate CON; empty for a NON, whose duplicates are dropped.
    pub(super) bytes: Vec<u8>,
}

impl<P> Retained<P> {
    /// Whether it is an empty ACK: the response to the request is a separate one.
    pub(super) fn is_empty_ack(&self) -> bool {
        // An empty message is its header (RFC 7252 §3).
        self.bytes.len() == 4
    }
}

/// An order of age.
#[derive(Clone, Copy)]
enum Order {
    All,
    Holder,
    Peer,
}

const ORDERS: [Order; 3] = [Order::All, Order::Holder, Order::Peer];

/// No place.
const NONE: u32 = u32::MAX;

/// The neighbours of a response in one order.
#[derive(Clone, Copy)]
struct Links {
    older: u32,
    newer: u32,
}

/// The ends of one order.
#[derive(Clone, Copy)]
struct Ends {
    oldest: u32,
    newest: u32,
    count: u32,
}

const EMPTY: Ends = Ends {
    oldest: NONE,
    newest: NONE,
    count: 0,
};

struct Slot<P> {
    response: Retained<P>,
    links: [Links; 3],
}

/// Responses in places that are numbered and used again.
pub(super) struct RetainedResponses<P> {
    slots: Vec<Option<Slot<P>>>,
    free: Vec<u32>,
    all: Ends,
    holders: Map<u64, Ends>,
    peers: Map<u64, Ends>,
    shares: Shares,
}

impl<P: PartialEq> RetainedResponses<P> {
    /// Bytes of a response's places, in tables that have twice the room after they have grown.
    const OVERHEAD: usize =
        2 * (size_of::<Option<Slot<P>>>() + size_of::<u32>() + 2 * size_of::<(u64, Ends)>());

    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            all: EMPTY,
            holders: Map::default(),
            peers: Map::default(),
            shares: Shares::new(bounds),
        }
    }

    /// Who holds how much.
    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// What a response takes.
    pub(super) fn amount(bytes: &Vec<u8>) -> Amount {
        Amount::piece(Self::OVERHEAD + bytes.capacity())
    }

    /// The responses to a peer, the newest first.
    pub(super) fn of_peer(&self, peer: &Peer<P>) -> impl Iterator<Item = &Retained<P>> {
        let mut place = self.peers.get(&peer.hash).map_or(NONE, |ends| ends.newest);
        let in_order = std::iter::from_fn(move || {
            let slot = self.slots.get(place as usize).and_then(Option::as_ref)?;
            place = slot.links[Order::Peer as usize].older;
            Some(&slot.response)
        });
        in_order.filter(move |response| response.peer == *peer)
    }

    /// Adds the newest response.
    pub(super) fn push(&mut self, response: Retained<P>) {
        self.shares
            .add(response.peer.owner, Self::amount(&response.bytes));
        let unlinked = Links {
            older: NONE,
            newer: NONE,
        };
        let slot = Some(Slot {
            response,
            links: [unlinked; 3],
        });
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        for order in ORDERS {
            let mut ends = self.ends(order, place);
            if let Some(newest) = self.links(order, ends.newest) {
                newest.newer = place;
            } else {
                ends.oldest = place;
            }
            if let Some(links) = self.links(order, place) {
                links.older = ends.newest;
            }
            ends.newest = place;
            ends.count += 1;
            self.set_ends(order, place, ends);
        }
    }

    /// Removes the oldest of all.
    pub(super) fn pop(&mut self) -> Option<Retained<P>> {
        self.remove(self.all.oldest)
    }

    /// Removes the oldest of a holder.
    pub(super) fn pop_of_holder(&mut self, holder: u64) -> Option<Retained<P>> {
        let oldest = self.holders.get(&holder)?.oldest;
        self.remove(oldest)
    }

    /// Removes the oldest of a peer.
    pub(super) fn pop_of_peer(&mut self, peer: &Peer<P>) -> Option<Retained<P>> {
        let oldest = self.peers.get(&peer.hash)?.oldest;
        self.remove(oldest)
    }

    /// The oldest of all.
    pub(super) fn oldest(&self) -> Option<&Retained<P>> {
        let slot = self.slots.get(self.all.oldest as usize)?.as_ref()?;
        Some(&slot.response)
    }

    pub(super) fn has_any_of_holder(&self, holder: u64) -> bool {
        self.holders.contains_key(&holder)
    }

    pub(super) fn count_of_peer(&self, peer: &Peer<P>) -> usize {
        self.peers
            .get(&peer.hash)
            .map_or(0, |ends| ends.count as usize)
    }

    /// The peer of each response.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.slots.iter().flatten().map(|slot| &slot.response.peer)
    }

    fn links(&mut self, order: Order, place: u32) -> Option<&mut Links> {
        let slot = self.slots.get_mut(place as usize)?.as_mut()?;
        Some(&mut slot.links[order as usize])
    }

    fn key(&self, order: Order, place: u32) -> u64 {
        let slot = self.slots.get(place as usize).and_then(Option::as_ref);
        slot.map_or(0, |slot| match order {
            Order::All => 0,
            Order::Holder => slot.response.peer.owner.holder(),
            Order::Peer => slot.response.peer.hash,
        })
    }

    /// The ends of the order that this place is in.
    fn ends(&self, order: Order, place: u32) -> Ends {
        let key = self.key(order, place);
        let ends = match order {
            Order::All => return self.all,
            Order::Holder => self.holders.get(&key),
            Order::Peer => self.peers.get(&key),
        };
        ends.copied().unwrap_or(EMPTY)
    }

    fn set_ends(&mut self, order: Order, place: u32, ends: Ends) {
        let key = self.key(order, place);
        let by_key = match order {
            Order::All => {
                self.all = ends;
                return;
            }
            Order::Holder => &mut self.holders,
            Order::Peer => &mut self.peers,
        };
        if ends.count == 0 {
            by_key.remove(&key);
        } else {
            by_key.insert(key, ends);
        }
    }

    fn remove(&mut self, place: u32) -> Option<Retained<P>> {
        for order in ORDERS {
            let Links { older, newer } = *self.links(order, place)?;
            let mut ends = self.ends(order, place);
            match self.links(order, older) {
                Some(links) => links.newer = newer,
                None => ends.oldest = newer,
            }
            match self.links(order, newer) {
                Some(links) => links.older = older,
                None => ends.newest = older,
            }
            ends.count -= 1;
            self.set_ends(order, place, ends);
        }
        let slot = self.slots.get_mut(place as usize)?.take()?;
        self.free.push(place);
        if self.all.count == 0 {
            // After a flood the memory returns.
            *self = Self::new(*self.shares.bounds());
            return Some(slot.response);
        }
        let response = slot.response;
        self.shares
            .give_back(response.peer.owner, Self::amount(&response.bytes));
        Some(response)
    }
}
