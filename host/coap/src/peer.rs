//! Peers as keys of maps: hashed once per datagram, under the endpoint's secret, for all maps.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use share::Owner;

use crate::network_settings::NetworkSettings;
use crate::peer_id::PeerId;
use crate::secret::Secret;

/// A peer and the keyed hashes of its identity, host and network. Equality compares the identity. Peers cannot predict
/// the hashes, so they cannot make their entries collide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer<P> {
    pub(super) id: P,
    pub(super) hash: u64,
    /// Who holds what the endpoint stores for the peer. An entry gives back to the owner that it took from: after a
    /// change of `networks`, another value of the same peer may have another owner.
    pub(super) owner: Owner,
}

impl<P: PeerId> Peer<P> {
    /// Networks of devices in `networks` are not bounded as a whole.
    pub(super) fn new(id: P, secret: &Secret, networks: &[NetworkSettings]) -> Self {
        let hash = secret.hash(&id);
        let owner = match id.host() {
            None => Owner::new(hash, None),
            Some(host) => {
                let is_bounded = !NetworkSettings::has_devices(networks, &host.address());
                let network = host.network().filter(|_| is_bounded);
                // The names keep a host and a network apart: both are holders in one list.
                let network = network.map(|network| secret.hash(("network", network)));
                Owner::new(secret.hash(("host", host)), network)
            }
        };
        Self { id, hash, owner }
    }
}

#[cfg(test)]
impl PeerId for () {}
#[cfg(test)]
impl PeerId for i32 {}

#[cfg(test)]
pub(super) fn test_peer<P: PeerId>(id: P) -> Peer<P> {
    Peer::new(id, &Secret::new([1; 16]), &[])
}

impl<P: PartialEq> PartialEq for Peer<P> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.id == other.id
    }
}

impl<P: Eq> Eq for Peer<P> {}

impl<P> Hash for Peer<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A map whose keys peers cannot choose: keyed hashes, and numbers of this crate.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Spreads such keys over a map's buckets. The keys are unpredictable already.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write_u64(&mut self, value: u64) {
        // An odd constant near 2^64 divided by the golden ratio (Fibonacci hashing): neighbours get distant buckets.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(SPREAD);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_spread_over_high_and_low_bits() {
        let hash = |value| {
            let mut spread = Spread::default();
            spread.write_u64(value);
            spread.finish()
        };
        for shift in [0, 57] {
            let mut used = [false; 128];
            (0..1_000).for_each(|value| used[(hash(value) >> shift) as usize & 127] = true);
            assert!(
                used.iter().filter(|used| **used).count() > 120,
                "bits from {shift}"
            );
        }
    }

    #[test]
    fn a_peer_is_its_address_and_another_endpoint_hashes_it_otherwise() {
        let [secret, other] = [1, 2].map(|seed| Secret::new([seed; 16]));
        assert_eq!(Peer::new("a", &secret, &[]), Peer::new("a", &secret, &[]));
        assert_ne!(Peer::new("a", &secret, &[]), Peer::new("b", &secret, &[]));
        assert_ne!(
            Peer::new("a", &secret, &[]).hash,
            Peer::new("a", &other, &[]).hash
        );
    }
}
