//! `[coap]`: settings of the CoAP endpoint.

use std::net::IpAddr;

use super::error::ConfigError;
use super::file::CoapTable;
use contract::escaping::escaped;

/// Names of the gateway: the names of a router and its aliases.
const MAX_NAMES: usize = 32;

/// Settings of the CoAP endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoapSettings {
    /// Names under which devices may address this gateway in a Proxy-Uri.
    pub names: Vec<String>,
    /// The interfaces on which the gateway joins the groups "All CoAP Nodes"; empty: all interfaces. None: it joins no
    /// group.
    pub multicast: Option<Vec<String>>,
}

/// Checks the table for a gateway that listens on `listen`; block size and Echo become limits of the endpoint.
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
            format!("[coap] block_size = {size} is not a block size; use 16, 32, 64, 128, 256, 512 or 1024")
        })?;
    }
    limits.echo = table.echo;
    let is_name = |name: &&String| {
        !name.is_empty() && name.len() <= 255 && !name.contains(['/', ':', '@', '[', ' '])
    };
    if table.names.len() > MAX_NAMES || !table.names.iter().all(|name| is_name(&name)) {
        let shown = table.names.iter().find(|name| !is_name(name));
        return Err(ConfigError(format!(
            "[coap] names: {}: write at most {MAX_NAMES} host names, without scheme and port",
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
            "[coap] multicast: a gateway that listens on {listen} receives no multicast; listen on :: and name \
             interfaces in multicast_interfaces"
        )));
    }
    Ok(CoapSettings {
        names: table.names,
        multicast: table.multicast.then_some(table.multicast_interfaces),
    })
}
