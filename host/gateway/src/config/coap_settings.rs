//! `[coap]`: how the endpoint speaks.

use std::net::IpAddr;

use super::error::ConfigError;
use super::file::CoapTable;
use contract::escaping::escaped;

/// Names of the gateway: those of a router and its aliases.
const MAX_NAMES: usize = 32;

/// How the endpoint speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoapSettings {
    /// Names under which devices may address this gateway in a Proxy-Uri.
    pub names: Vec<String>,
    /// The interfaces on which it is in the groups of "All CoAP Nodes"; empty: all. None: in no group.
    pub multicast: Option<Vec<String>>,
}

/// Checks the table for a gateway that listens on `listen`; block size and Echo go to the endpoint's bounds.
///
/// # Errors
/// [`ConfigError`] for a value out of its range.
pub(super) fn from_table(
    table: CoapTable,
    limits: &mut coap::Limits,
    listen: IpAddr,
) -> Result<CoapSettings, ConfigError> {
    if let Some(size) = table.block_size {
        let exponents = 0..=coap::block::MAX_SIZE_EXPONENT;
        let exponent = exponents
            .into_iter()
            .find(|exponent| 16 << exponent == size);
        limits.block_size_exponent = exponent.ok_or_else(|| {
            format!("[coap] block_size = {size} is no size of a block; give 16, 32, 64, 128, 256, 512 or 1024")
        })?;
    }
    limits.echo = table.echo;
    let is_name = |name: &&String| {
        !name.is_empty() && name.len() <= 255 && !name.contains(['/', ':', '@', '[', ' '])
    };
    if table.names.len() > MAX_NAMES || !table.names.iter().all(|name| is_name(&name)) {
        let shown = table.names.iter().find(|name| !is_name(name));
        return Err(ConfigError(format!(
            "[coap] names: {}: give at most {MAX_NAMES} host names, without scheme and port",
            shown.map_or_else(|| "too many".to_owned(), |name| escaped(name, 64))
        )));
    }
    if !table.multicast && !table.multicast_interfaces.is_empty() {
        return Err(ConfigError(
            "[coap] multicast_interfaces: has no effect without multicast = true".to_owned(),
        ));
    }
    if table.multicast && !listen.is_unspecified() {
        return Err(ConfigError(format!(
            "[coap] multicast: a gateway that listens on {listen} hears no group; listen on :: and name interfaces in multicast_interfaces"
        )));
    }
    Ok(CoapSettings {
        names: table.names,
        multicast: table.multicast.then_some(table.multicast_interfaces),
    })
}
