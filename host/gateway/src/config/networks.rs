//! `[[network]]`: what the gateway knows of the networks of its devices.

use coap::NetworkSettings;
use ipnet::IpNet;

use super::coap_settings;
use super::error::ConfigError;
use super::file::NetworkTable;
use contract::escaping::escaped;

/// Networks with settings of their own. Each new address is compared with all of them.
const MAX_NETWORKS: usize = 64;

/// An address, as the prefix that contains it alone, or a prefix.
pub(super) fn prefix(text: &str) -> Option<IpNet> {
    let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).ok()
}

/// Settings of the networks in the file.
///
/// # Errors
/// [`ConfigError`] for a text that is no prefix, one with bits after the prefix, for a setting out of its range, and
/// for too many.
pub(super) fn networks(tables: &[NetworkTable]) -> Result<Vec<NetworkSettings>, ConfigError> {
    if tables.len() > MAX_NETWORKS {
        return Err(ConfigError(format!(
            "{} networks are more than {MAX_NETWORKS}; write one [[network]] with a shorter prefix for several",
            tables.len()
        )));
    }
    tables.iter().map(network).collect()
}

fn network(table: &NetworkTable) -> Result<NetworkSettings, ConfigError> {
    let prefix = prefix(&table.prefix).filter(|network| *network == network.trunc());
    let prefix = prefix.ok_or_else(|| {
        ConfigError(format!(
            "[[network]] prefix = \"{}\" is not a prefix; write an address, a slash and the number of leading bits, \
             and no bits after them, such as fd00::/64",
            escaped(&table.prefix, 64)
        ))
    })?;
    let name = format!("[[network]] {prefix}:");
    let block_size = table.block_size;
    let block_size = block_size.map(|size| coap_settings::block_size(&name, size));
    let delay = |setting: &str, text: &Option<String>| {
        let setting = format!("{name} {setting}");
        let parsed = text
            .as_deref()
            .map(|text| coap_settings::ack_delay(&setting, text));
        parsed.transpose()
    };
    Ok(NetworkSettings {
        prefix,
        devices: table.devices,
        first_block_exponent: block_size.transpose()?,
        ack_delay: delay("ack_delay", &table.ack_delay)?,
        ack_delay_max: delay("ack_delay_max", &table.ack_delay_max)?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn table(prefix: &str, devices: bool) -> NetworkTable {
        NetworkTable {
            prefix: prefix.to_owned(),
            devices,
            block_size: None,
            ack_delay: None,
            ack_delay_max: None,
            outbox: None,
        }
    }

    #[test]
    fn a_network_has_the_settings_that_its_table_has() {
        let tables = [
            table("fd00::/64", true),
            NetworkTable {
                block_size: Some(512),
                ack_delay: Some("5s".to_owned()),
                ..table("2001:db8::/64", false)
            },
        ];
        let settings = |prefix: &str, devices, first_block_exponent, ack_delay| NetworkSettings {
            prefix: prefix.parse().expect("a prefix"),
            devices,
            first_block_exponent,
            ack_delay,
            ack_delay_max: None,
        };
        let expected = vec![
            settings("fd00::/64", true, None, None),
            settings(
                "2001:db8::/64",
                false,
                Some(5),
                Some(Duration::from_secs(5)),
            ),
        ];
        assert_eq!(networks(&tables).expect("they are valid"), expected);
    }

    #[test]
    fn a_setting_out_of_its_range_is_refused_with_the_network() {
        let size = NetworkTable {
            block_size: Some(100),
            ..table("fd00::/64", false)
        };
        let delay = NetworkTable {
            ack_delay: Some("1min".to_owned()),
            ..table("fd00::/64", false)
        };
        for (table, expected) in [(size, "block_size"), (delay, "ack_delay")] {
            let error = networks(&[table]).expect_err(expected).to_string();
            assert!(
                error.contains("[[network]] fd00::/64") && error.contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn a_text_that_is_no_prefix_is_refused_with_an_example() {
        for text in ["", "fd00::1/64", "fd00::/129", "mesh", "192.0.2.0/33"] {
            let error = networks(&[table(text, true)]).expect_err(text);
            assert!(error.to_string().contains("such as fd00::/64"), "{error}");
        }
    }

    #[test]
    fn networks_are_bounded() {
        let tables: Vec<_> = (0..=MAX_NETWORKS)
            .map(|_| table("fd00::/64", true))
            .collect();
        assert!(networks(&tables).is_err());
    }
}
