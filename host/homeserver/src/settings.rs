//! The settings of egress.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::homeserver::Homeserver;
use super::limits::UpstreamLimits;
use super::others::Others;
use super::response_bytes::ResponseBytes;
use contract::clock::Clock;

/// The devices that may use a configured token.
#[derive(Clone, Debug, Default)]
pub struct TokenPeers {
    /// Networks of devices that have not authenticated themselves.
    pub networks: Vec<ipnet::IpNet>,
    /// Names of devices that have, and which of the tokens. Their address does not count.
    pub devices: BTreeMap<String, ConfiguredAccount>,
}

/// The configured token that a device may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfiguredAccount {
    /// That of the homeserver of its request.
    OfRequest,
    /// That of the homeserver with this name, which is the default one of this device.
    OfHomeserver(String),
}

impl From<Vec<ipnet::IpNet>> for TokenPeers {
    fn from(networks: Vec<ipnet::IpNet>) -> Self {
        Self {
            networks,
            devices: BTreeMap::new(),
        }
    }
}

/// The settings of egress.
#[derive(Clone)]
pub struct UpstreamSettings {
    /// The configured homeservers, the default first. Not empty.
    pub homeservers: Vec<Homeserver>,
    /// Set if devices may name homeservers that are not configured.
    pub others: Option<Others>,
    /// The devices that may use a configured token.
    pub token_peers: TokenPeers,
    /// Certificate authorities (PEM) in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Bounds.
    pub limits: UpstreamLimits,
    /// The responses that are being received.
    pub response_bytes: ResponseBytes,
    /// The time of day, to distinguish an expired certificate from a clock that is not set.
    pub clock: Clock,
}
