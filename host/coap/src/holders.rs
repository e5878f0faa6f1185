//! Who holds what of the endpoint, for a status page.

use std::cmp::Reverse;

use crate::endpoint::Endpoint;
use crate::peer::{Map, Peer};
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;
use share::{Amount, Shares};

/// Hosts in the list: as many as a page shows.
const MOST: usize = 10;

/// What one host holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder<P> {
    /// One of its peers.
    pub peer: P,
    /// Bytes of all that the endpoint holds for it.
    pub bytes: usize,
    /// Exchanges in flight, separate responses included.
    pub exchanges: usize,
    /// Observations.
    pub observations: usize,
}

/// What all hosts hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldInAll {
    /// Bytes of all that messages make the endpoint hold, see [`Limits::held_bytes`](crate::Limits::held_bytes).
    pub bytes: usize,
    /// Exchanges in flight, separate responses included.
    pub exchanges: usize,
    /// Observations.
    pub observations: usize,
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// What all hosts hold.
    pub fn held_in_all(&self) -> HeldInAll {
        let pieces = |shares: &Shares| shares.in_all().pieces;
        HeldInAll {
            bytes: self.rooms().map(|room| room.in_all().bytes).sum(),
            exchanges: pieces(self.exchanges.shares()) + pieces(self.reliability.shares()),
            observations: pieces(self.observations.shares()),
        }
    }

    /// The ten hosts that hold most bytes, the largest first. Takes time in proportion to what is held.
    pub fn largest_holders(&self) -> Vec<Holder<P>> {
        let mut bytes: Map<u64, usize> = Map::default();
        for (host, held) in self.rooms().flat_map(Shares::hosts) {
            *bytes.entry(host).or_default() += held.bytes;
        }
        let mut largest: Vec<_> = bytes.into_iter().collect();
        // By name where the bytes are the same, so that two lists in a row have the same order.
        largest.sort_unstable_by_key(|(host, bytes)| (Reverse(*bytes), *host));
        largest.truncate(MOST);
        let mut peers: Vec<Option<&Peer<P>>> = vec![None; largest.len()];
        for peer in self.peers_held() {
            let place = largest
                .iter()
                .position(|(host, _)| *host == peer.owner.host);
            if let Some(place) = place {
                peers[place].get_or_insert(peer);
            }
        }
        let described = largest.iter().zip(peers).filter_map(|((_, bytes), peer)| {
            let peer = peer?;
            let host = |shares: &Shares| -> Amount { shares.held(peer.owner).host };
            Some(Holder {
                peer: peer.id.clone(),
                bytes: *bytes,
                exchanges: host(self.exchanges.shares()).pieces
                    + host(self.reliability.shares()).pieces,
                observations: host(self.observations.shares()).pieces,
            })
        });
        described.collect()
    }

    fn rooms(&self) -> impl Iterator<Item = &Shares> {
        self.rooms_beside_retained()
            .into_iter()
            .chain(self.dedup.shares())
    }

    fn peers_held(&self) -> impl Iterator<Item = &Peer<P>> {
        self.exchanges
            .peers()
            .chain(self.reliability.peers())
            .chain(self.block1.bodies.peers())
            .chain(self.block2.bodies.peers())
            .chain(self.observations.peers())
            .chain(self.leisure.peers())
            .chain(self.dedup.peers())
    }
}
