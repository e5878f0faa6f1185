//! Who holds something.

use std::num::NonZeroU64;

/// A host and its network, by keyed hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The host.
    pub host: u64,
    /// Its network, unless the network as a whole is not bounded.
    pub network: Option<NonZeroU64>,
}

impl Owner {
    /// Names an owner by keyed hashes.
    pub fn new(host: u64, network: Option<u64>) -> Self {
        // Zero stands for none. A network with the hash 0 shares the account of hash 1: as unlikely as any collision.
        let network = network.map(|network| NonZeroU64::new(network).unwrap_or(NonZeroU64::MIN));
        Self { host, network }
    }

    /// The widest unit that is bounded: the network, else the host. A host that changes its address within its network
    /// stays the same holder, so what a cache drops first is found by it.
    pub fn holder(self) -> u64 {
        self.network.map_or(self.host, NonZeroU64::get)
    }
}
