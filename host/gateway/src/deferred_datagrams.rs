//! Datagrams of hosts above their share of the thread's time: they wait until the sockets have no others.

use std::collections::VecDeque;

use share::{Amount, Bounds, Owner, Shares};
use transport::{Cast, UdpPeer};

/// Bytes that wait in all. Above: a datagram is lost, as in a network that is overloaded. A second of 802.15.4 at its
/// full rate, from eight networks, takes 250 kB.
const MAX_BYTES: usize = 512 << 10;
/// Bytes that wait of one host, or of all addresses of its network: the largest datagram of IPv6 fits.
const MAX_BYTES_OF_HOST: usize = MAX_BYTES / 8;
/// Bytes of an entry beside its datagram.
const ENTRY: usize = size_of::<Datagram>();

/// A datagram that waits.
pub(crate) struct Datagram {
    pub(crate) owner: Owner,
    pub(crate) peer: UdpPeer,
    pub(crate) cast: Cast,
    pub(crate) bytes: Box<[u8]>,
}

/// The datagrams that wait, in the order of their arrival.
pub(crate) struct DeferredDatagrams {
    queue: VecDeque<Datagram>,
    shares: Shares,
    /// Datagrams that had to wait.
    pub(crate) deferred: u64,
    /// Those of them for which there was no room.
    pub(crate) lost: u64,
}

impl Default for DeferredDatagrams {
    fn default() -> Self {
        let bounds = Bounds::of_bytes(MAX_BYTES).at_least(MAX_BYTES_OF_HOST + ENTRY);
        Self {
            queue: VecDeque::new(),
            shares: Shares::new(bounds),
            deferred: 0,
            lost: 0,
        }
    }
}

impl Datagram {
    fn size(&self) -> Amount {
        Amount::bytes(self.bytes.len() + ENTRY)
    }
}

impl DeferredDatagrams {
    /// Takes a datagram of a host, or loses it. Returns whether there was room for it.
    pub(crate) fn push(&mut self, owner: Owner, peer: UdpPeer, cast: Cast, bytes: &[u8]) -> bool {
        self.deferred += 1;
        let size = Amount::bytes(bytes.len() + ENTRY);
        if self.shares.take(owner, size).is_err() {
            self.lost += 1;
            return false;
        }
        self.queue.push_back(Datagram {
            owner,
            peer,
            cast,
            bytes: bytes.into(),
        });
        true
    }

    /// The datagram that has waited for longest.
    pub(crate) fn pop(&mut self) -> Option<Datagram> {
        let datagram = self.queue.pop_front()?;
        self.shares.give_back(datagram.owner, datagram.size());
        if self.queue.is_empty() {
            // Memory of a flood goes back.
            self.queue.shrink_to(64);
        }
        Some(datagram)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> UdpPeer {
        UdpPeer {
            listener: 0,
            remote: ([127, 0, 0, 1], port).into(),
            local: None,
            session: None,
        }
    }

    fn host(number: u64) -> Owner {
        Owner::new(number, None)
    }

    #[test]
    fn datagrams_leave_in_their_order_and_leave_nothing() {
        let mut deferred = DeferredDatagrams::default();
        for port in 1..=3 {
            assert!(deferred.push(
                host(u64::from(port % 2)),
                peer(port),
                Cast::Unicast,
                b"datagram"
            ));
        }
        let ports: Vec<_> = std::iter::from_fn(|| deferred.pop())
            .map(|datagram| datagram.peer.remote.port())
            .collect();
        assert_eq!(ports, [1, 2, 3]);
        assert!(deferred.is_empty() && deferred.shares.in_all() == Amount::default());
    }

    #[test]
    fn a_host_takes_an_eighth_of_the_room_and_all_hosts_the_whole() {
        let mut deferred = DeferredDatagrams::default();
        let mut taken = |number| {
            let push = |_: &usize| deferred.push(host(number), peer(1), Cast::Unicast, &[0; 1000]);
            (0..1000).filter(push).count()
        };
        let counts: Vec<usize> = (1..=20).map(&mut taken).collect();
        let share = MAX_BYTES_OF_HOST / (1000 + ENTRY);
        assert!(
            counts[..7]
                .iter()
                .all(|count| (share..=share + 1).contains(count))
        );
        assert!(counts[7] > 0, "{counts:?}");
        assert_eq!(counts.iter().sum::<usize>(), MAX_BYTES / (1000 + ENTRY));
    }

    #[test]
    fn the_addresses_of_one_network_have_one_share_together() {
        let mut deferred = DeferredDatagrams::default();
        let mut taken = |owner| {
            let push = |_: &usize| deferred.push(owner, peer(1), Cast::Unicast, &[0; 1000]);
            (0..20).filter(push).count()
        };
        let hopping = (1..=100).map(|host| taken(Owner::new(host, Some(7))));
        let share = MAX_BYTES_OF_HOST / (1000 + ENTRY) + 1;
        assert!(hopping.sum::<usize>() <= share);
        assert_eq!(taken(Owner::new(101, Some(8))), 20);
        assert_eq!(taken(Owner::new(102, None)), 20);
    }

    #[test]
    fn the_largest_datagram_fits() {
        let mut deferred = DeferredDatagrams::default();
        assert!(deferred.push(host(1), peer(1), Cast::Unicast, &[0; 65_507]));
    }
}
