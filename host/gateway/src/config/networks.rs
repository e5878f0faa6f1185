//! `[[network]]`: what the gateway knows of the networks of its devices.

use ipnet::IpNet;

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

/// Networks whose hosts have a share each, and none together.
///
/// # Errors
/// [`ConfigError`] for a text that is no prefix, one with bits after the prefix, and for too many.
pub(super) fn device_networks(tables: &[NetworkTable]) -> Result<Vec<IpNet>, ConfigError> {
    if tables.len() > MAX_NETWORKS {
        return Err(ConfigError(format!(
            "{} networks are more than {MAX_NETWORKS}; write one [[network]] with a shorter prefix for several",
            tables.len()
        )));
    }
    let mut networks = Vec::new();
    for table in tables {
        let network = prefix(&table.prefix).filter(|network| *network == network.trunc());
        let network = network.ok_or_else(|| {
            ConfigError(format!(
                "[[network]] prefix = \"{}\" is not a prefix; write an address, a slash and the number of leading \
                 bits, and no bits after them, such as fd00::/64",
                escaped(&table.prefix, 64)
            ))
        })?;
        networks.extend(table.devices.then_some(network));
    }
    Ok(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(prefix: &str, devices: bool) -> NetworkTable {
        NetworkTable {
            prefix: prefix.to_owned(),
            devices,
        }
    }

    #[test]
    fn networks_of_devices_are_listed_and_others_are_not() {
        let networks = device_networks(&[table("fd00::/64", true), table("2001:db8::/64", false)]);
        let expected = vec!["fd00::/64".parse::<IpNet>().expect("a prefix")];
        assert_eq!(networks.expect("they are valid"), expected);
    }

    #[test]
    fn a_text_that_is_no_prefix_is_refused_with_an_example() {
        for text in ["", "fd00::1/64", "fd00::/129", "mesh", "192.0.2.0/33"] {
            let error = device_networks(&[table(text, true)]).expect_err(text);
            assert!(error.to_string().contains("such as fd00::/64"), "{error}");
        }
    }

    #[test]
    fn networks_are_bounded() {
        let tables: Vec<_> = (0..=MAX_NETWORKS)
            .map(|_| table("fd00::/64", true))
            .collect();
        assert!(device_networks(&tables).is_err());
    }
}
