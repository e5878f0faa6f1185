//! Limits that depend on the network of a peer.

use std::time::Duration;

use crate::limits::Limits;
use crate::network_settings::NetworkSettings;
use crate::peer_id::PeerId;

impl Limits {
    /// A value for this peer, if one of its networks has it.
    fn of_network<P: PeerId, V>(
        &self,
        peer: &P,
        value: impl Fn(&NetworkSettings) -> Option<V>,
    ) -> Option<V> {
        if self.networks.is_empty() {
            return None;
        }
        let address = peer.host()?.address();
        let with_value = self.networks.iter().filter_map(|network| {
            let is_in = network.prefix.contains(&address);
            Some((
                network.prefix.prefix_len(),
                value(network).filter(|_| is_in)?,
            ))
        });
        let longest = with_value.max_by_key(|(length, _)| *length);
        longest.map(|(_, value)| value)
    }

    /// Time until the empty ACK for a request of this peer.
    pub(crate) fn ack_delay_for<P: PeerId>(&self, peer: &P) -> Duration {
        let of_network = self.of_network(peer, |network| network.ack_delay);
        of_network.unwrap_or(self.ack_delay)
    }

    /// The same for one that left a separate response unacknowledged; not less than for others.
    pub(crate) fn ack_delay_max_for<P: PeerId>(&self, peer: &P) -> Duration {
        let of_network = self.of_network(peer, |network| network.ack_delay_max);
        let longest = of_network.unwrap_or(self.ack_delay_max);
        longest.max(self.ack_delay_for(peer))
    }

    /// Size exponent of the first block for this peer, if its request names none.
    pub(crate) fn first_block_for<P: PeerId>(&self, peer: &P) -> u8 {
        let of_network = self.of_network(peer, |network| network.first_block_exponent);
        of_network.unwrap_or(self.first_block_exponent)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn network(prefix: &str, exponent: Option<u8>, seconds: Option<u64>) -> NetworkSettings {
        NetworkSettings {
            prefix: prefix.parse().expect("a prefix"),
            devices: false,
            first_block_exponent: exponent,
            ack_delay: seconds.map(Duration::from_secs),
            ack_delay_max: None,
        }
    }

    #[test]
    fn the_longest_prefix_that_has_a_value_counts_and_other_hosts_have_the_default() {
        let limits = Limits {
            networks: vec![
                network("fd00::/64", Some(5), None),
                network("fd00::/16", Some(4), Some(5)),
            ],
            ..Limits::default()
        };
        let values = |address: &str| {
            let peer: SocketAddr = address.parse().expect("an address");
            (
                limits.first_block_for(&peer),
                limits.ack_delay_for(&peer).as_secs(),
            )
        };
        assert_eq!(values("[fd00::1]:5683"), (5, 5));
        assert_eq!(values("[fd00:0:0:1::1]:5683"), (4, 5));
        assert_eq!(values("192.0.2.1:5683"), (2, 1));
        let peer: SocketAddr = "[fd00::1]:5683".parse().expect("an address");
        let limits = Limits {
            ack_delay_max: Duration::from_secs(3),
            ..limits
        };
        let longest = limits.ack_delay_max_for(&peer);
        assert_eq!(longest, Duration::from_secs(5), "not less than ack_delay");
    }
}
