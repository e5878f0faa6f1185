//! The account of one room.

use crate::amount::{Amount, Held};
use crate::bounds::{Bounds, Refused};
use crate::owner::Owner;
use crate::table::Table;

/// Who holds how much of a room.
#[derive(Debug)]
pub struct Shares {
    bounds: Bounds,
    hosts: Table,
    networks: Table,
    in_all: Amount,
    /// Holders above their share, the longest first. With shares of an eighth there are at most seven before the room
    /// is full.
    over: Vec<u64>,
}

impl Shares {
    /// An empty room.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            hosts: Table::default(),
            networks: Table::default(),
            in_all: Amount::default(),
            over: Vec::new(),
        }
    }

    /// The bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Applies other bounds. Who holds more than the new ones keeps it.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
        let networks = self
            .networks
            .iter()
            .filter(|(_, held)| is_network_over(&bounds, *held));
        let hosts = self
            .hosts
            .iter()
            .filter(|(_, held)| is_host_over(&bounds, *held));
        self.over = networks.chain(hosts).map(|(holder, _)| holder).collect();
    }

    /// Takes a piece, if the owner, its network and the room have room for it.
    ///
    /// # Errors
    /// The level that has none. Nothing has changed then.
    pub fn take(&mut self, owner: Owner, amount: Amount) -> Result<(), Refused> {
        self.admit(owner, amount)?;
        self.add(owner, amount);
        Ok(())
    }

    /// Whether the owner, its network and the room have room for a piece.
    ///
    /// # Errors
    /// The level that has none.
    pub fn admit(&self, owner: Owner, amount: Amount) -> Result<(), Refused> {
        self.bounds.admit(self.held(owner), amount)
    }

    /// Whether there would be room for a piece if `ended` gave back one of the same size.
    ///
    /// # Errors
    /// The level that would have none.
    pub fn admit_instead(&self, owner: Owner, ended: Owner, piece: Amount) -> Result<(), Refused> {
        let mut held = self.held(owner);
        held.in_all = held.in_all.less(piece);
        if ended.host == owner.host {
            held.host = held.host.less(piece);
        }
        if ended.network.is_some() && ended.network == owner.network {
            held.network = held.network.less(piece);
        }
        self.bounds.admit(held, piece)
    }

    /// Counts a piece even above the bounds: it was admitted elsewhere, or the caller drops others for it.
    pub fn add(&mut self, owner: Owner, amount: Amount) {
        self.in_all += amount;
        let after = self.hosts.add(owner.host, amount);
        if is_host_over(&self.bounds, after) && !is_host_over(&self.bounds, after.less(amount)) {
            self.over.push(owner.host);
        }
        if let Some(network) = owner.network {
            let after = self.networks.add(network.get(), amount);
            let before = after.less(amount);
            if is_network_over(&self.bounds, after) && !is_network_over(&self.bounds, before) {
                self.over.push(network.get());
            }
        }
    }

    /// Gives back what the same owner took.
    pub fn give_back(&mut self, owner: Owner, amount: Amount) {
        self.in_all = self.in_all.less(amount);
        let left = self.hosts.give_back(owner.host, amount);
        if !self.over.is_empty() && !is_host_over(&self.bounds, left) {
            self.over.retain(|holder| *holder != owner.host);
        }
        if let Some(network) = owner.network {
            let left = self.networks.give_back(network.get(), amount);
            if !self.over.is_empty() && !is_network_over(&self.bounds, left) {
                self.over.retain(|holder| *holder != network.get());
            }
        }
    }

    /// What the owner, its network and all hosts hold.
    pub fn held(&self, owner: Owner) -> Held {
        Held {
            host: self.hosts.get(owner.host),
            network: owner
                .network
                .map(|network| self.networks.get(network.get()))
                .unwrap_or_default(),
            in_all: self.in_all,
        }
    }

    /// What the network of the owner holds, or the host if no network is bounded.
    pub fn held_by_holder(&self, owner: Owner) -> Amount {
        let held = self.held(owner);
        owner.network.map_or(held.host, |_| held.network)
    }

    /// What all hosts hold.
    pub fn in_all(&self) -> Amount {
        self.in_all
    }

    /// Whether the owner or its network is above its share.
    pub fn is_over(&self, owner: Owner) -> bool {
        let held = self.held(owner);
        is_host_over(&self.bounds, held.host) || is_network_over(&self.bounds, held.network)
    }

    /// Hosts and networks above their share, by their names, the longest first.
    pub fn over(&self) -> &[u64] {
        &self.over
    }

    /// Every host that holds something, by its name.
    pub fn hosts(&self) -> impl Iterator<Item = (u64, Amount)> {
        self.hosts.iter()
    }
}

fn is_host_over(bounds: &Bounds, held: Amount) -> bool {
    bounds.is_over(held, |bound| bound.host)
}

fn is_network_over(bounds: &Bounds, held: Amount) -> bool {
    bounds.is_over(held, |bound| bound.network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::Bound;

    const PIECE: Amount = Amount::piece(100);

    fn taken(room: &mut Shares, owners: impl Iterator<Item = Owner>) -> usize {
        owners
            .filter(|owner| room.take(*owner, PIECE).is_ok())
            .count()
    }

    #[test]
    fn a_host_gets_an_eighth_and_seven_of_them_leave_the_last() {
        let mut room = Shares::new(Bounds::of_pieces(80));
        let flood = (0..7).flat_map(|host| std::iter::repeat_n(Owner::new(host, None), 50));
        assert_eq!(taken(&mut room, flood), 70);
        let last = Owner::new(9, None);
        assert_eq!(taken(&mut room, std::iter::repeat_n(last, 50)), 10);
        assert_eq!(room.take(Owner::new(10, None), PIECE), Err(Refused::InAll));
        assert_eq!(room.take(last, Amount::default()), Ok(()));
    }

    #[test]
    fn a_network_gets_an_eighth_however_many_addresses_it_has() {
        let mut room = Shares::new(Bounds::of_bytes(8_000));
        let hopping = (0..1_000).map(|host| Owner::new(host, Some(7)));
        assert_eq!(taken(&mut room, hopping), 10);
        assert_eq!(
            room.take(Owner::new(5_000, Some(7)), PIECE),
            Err(Refused::Network)
        );
        assert_eq!(room.take(Owner::new(5_000, Some(8)), PIECE), Ok(()));
        let devices = (0..1_000).map(|host| Owner::new(host, None));
        assert_eq!(
            taken(&mut room, devices),
            69,
            "of a network that is not bounded"
        );
    }

    #[test]
    fn what_is_given_back_leaves_no_trace() {
        let mut room = Shares::new(Bounds::of_pieces(8));
        let owners: Vec<_> = (0..500)
            .map(|host| Owner::new(host, Some(host % 3)))
            .collect();
        owners.iter().for_each(|owner| room.add(*owner, PIECE));
        assert_eq!(
            room.in_all(),
            Amount {
                pieces: 500,
                bytes: 50_000
            }
        );
        owners
            .iter()
            .for_each(|owner| room.give_back(*owner, PIECE));
        assert_eq!(
            (room.in_all(), room.hosts().count()),
            (Amount::default(), 0)
        );
        assert_eq!(
            (room.networks.iter().count(), room.over()),
            (0, [].as_slice())
        );
    }

    #[test]
    fn who_is_above_its_share_is_listed_and_leaves_the_list_again() {
        let mut room = Shares::new(Bounds::of_pieces(8).at_least(2));
        let (owner, other) = (Owner::new(1, None), Owner::new(2, Some(3)));
        for _ in 0..3 {
            room.add(other, PIECE);
            room.add(owner, PIECE);
        }
        assert_eq!(room.over(), [2, 3, 1], "a host, its network, a host");
        assert!(room.is_over(owner) && !room.is_over(Owner::new(4, None)));
        room.give_back(owner, PIECE);
        assert_eq!(
            (room.over(), room.is_over(owner)),
            ([2, 3].as_slice(), false)
        );
        room.set_bounds(Bounds::NONE);
        assert_eq!(room.over(), []);
        room.set_bounds(Bounds::of_pieces(8));
        assert_eq!(room.over().len(), 3);
    }

    #[test]
    fn a_share_is_at_least_the_largest_piece_and_at_most_the_room() {
        let bound = Bound::eighth(800);
        assert_eq!((bound.host, bound.at_least(150).host), (100, 150));
        assert_eq!(bound.at_least(9_000).host, 800);
        assert_eq!(Bound::NONE.at_least(5), Bound::NONE);
    }

    #[test]
    fn what_several_rooms_hold_is_bounded_by_their_sum() {
        let (mut one, mut other) = (Shares::new(Bounds::NONE), Shares::new(Bounds::NONE));
        let owner = Owner::new(1, Some(2));
        one.add(owner, Amount::bytes(600));
        other.add(owner, PIECE);
        let held = one.held(owner) + other.held(owner);
        assert_eq!(
            held.host,
            Amount {
                pieces: 1,
                bytes: 700
            }
        );
        let bounds = Bounds::of_bytes(8_000);
        assert_eq!(bounds.admit(held, Amount::bytes(300)), Ok(()));
        assert_eq!(bounds.admit(held, Amount::bytes(301)), Err(Refused::Host));
    }
}
