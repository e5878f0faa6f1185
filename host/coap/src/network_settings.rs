//! What is known of a network of devices.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

/// Settings of the hosts whose addresses begin with a prefix. Of several that set a value for a host, the one with the
/// longest prefix counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSettings {
    /// The addresses.
    pub prefix: IpNet,
    /// Whether its devices count for themselves alone: an IPv6 /64 as a whole may not take more than one host, because
    /// a host can have any of its addresses, unless this is set. The devices of a 6LoWPAN mesh share one.
    pub devices: bool,
    /// In place of [`Limits::first_block_exponent`](crate::Limits::first_block_exponent).
    pub first_block_exponent: Option<u8>,
    /// In place of [`Limits::ack_delay`](crate::Limits::ack_delay).
    pub ack_delay: Option<Duration>,
    /// In place of [`Limits::ack_delay_max`](crate::Limits::ack_delay_max).
    pub ack_delay_max: Option<Duration>,
}

impl NetworkSettings {
    /// Whether the devices of a network that has this address count for themselves alone.
    #[must_use]
    pub fn has_devices(networks: &[Self], address: &IpAddr) -> bool {
        let mut of_devices = networks.iter().filter(|network| network.devices);
        of_devices.any(|network| network.prefix.contains(address))
    }
}
