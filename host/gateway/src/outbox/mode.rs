//! Which messages wait for their homeserver, and how long the gateway tries before.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use outbox::OutboxLimits;
use serde::Deserialize;

/// When the gateway takes a message over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboxMode {
    /// If the homeserver does not respond within the patience: the device mostly gets the event's id.
    #[default]
    WhenUnreachable,
    /// At once: the device's radio sleeps as soon as possible.
    Always,
    /// Never: the device hears of the homeserver's failure, and repeats the message itself.
    Off,
}

/// `[outbox]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// The mode, unless a network or a rule has its own.
    pub mode: OutboxMode,
    /// Time for a homeserver's response before the message is stored: a device waits with its radio on.
    pub patience: Duration,
    /// How much is kept, and how long.
    pub limits: OutboxLimits,
    /// Modes of rules, by their names.
    pub rules: BTreeMap<String, OutboxMode>,
    /// Modes of networks: the longest prefix counts.
    pub networks: Vec<(IpNet, OutboxMode)>,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            mode: OutboxMode::default(),
            patience: Duration::from_secs(2),
            limits: OutboxLimits::default(),
            rules: BTreeMap::new(),
            networks: Vec::new(),
        }
    }
}

impl OutboxSettings {
    /// The mode for a message of this device to this rule: that of its network, else of the rule, else of all.
    #[must_use]
    pub fn mode_of(&self, device: IpAddr, rule: &str) -> OutboxMode {
        let networks = self.networks.iter();
        let of_network = networks
            .filter(|(prefix, _)| prefix.contains(&device))
            .max_by_key(|(prefix, _)| prefix.prefix_len());
        let of_network = of_network.map(|(_, mode)| *mode);
        of_network
            .or_else(|| self.rules.get(rule).copied())
            .unwrap_or(self.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts_before_the_rule_and_the_rule_before_all() {
        let settings = OutboxSettings {
            rules: BTreeMap::from([("senml".to_owned(), OutboxMode::Off)]),
            networks: vec![
                ("fd00::/8".parse().unwrap(), OutboxMode::Off),
                ("fd00:1::/64".parse().unwrap(), OutboxMode::Always),
            ],
            ..OutboxSettings::default()
        };
        for (address, rule, mode) in [
            ("fd00:1::1", "senml", OutboxMode::Always),
            ("fd00:2::1", "comatrix", OutboxMode::Off),
            ("fe80::1", "senml", OutboxMode::Off),
            ("fe80::1", "comatrix", OutboxMode::WhenUnreachable),
        ] {
            let device = address.parse().unwrap();
            assert_eq!(settings.mode_of(device, rule), mode, "{address} {rule}");
        }
    }
}
