//! `[coap]`: settings of the CoAP endpoint.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::ConfigError;
use super::file::CoapTable;
use super::span;
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

/// Times until the empty ACK. One of 0 would make each response separate, and clients give up after 45 s without an
/// ACK (MAX_TRANSMIT_SPAN, RFC 7252 §4.8.2).
const ACK_DELAY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(10);
/// Times over which responses to a group are spread. Nobody waits for longer than a minute.
const LEISURE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);

/// The size exponent of a block; `table` has the setting.
///
/// # Errors
/// [`ConfigError`] for another size than those of RFC 7959 §2.2.
pub(super) fn block_size(table: &str, size: usize) -> Result<u8, ConfigError> {
    let mut exponents = 0..=coap::block::MAX_SIZE_EXPONENT;
    let exponent = exponents.find(|exponent| 16 << exponent == size);
    exponent.ok_or_else(|| {
        ConfigError(format!(
            "{table} block_size = {size} is not a block size; use 16, 32, 64, 128, 256, 512 or 1024"
        ))
    })
}

/// A time until the empty ACK, which this setting has.
///
/// # Errors
/// [`ConfigError`] for a text that is no time, and one out of its range.
pub(super) fn ack_delay(setting: &str, text: &str) -> Result<Duration, ConfigError> {
    span::within(setting, text, ACK_DELAY)
}

/// Checks the table for a gateway that listens on `listen`; sizes, times and Echo become limits of the endpoint.
///
/// # Errors
/// [`ConfigError`] for a value out of its range.
pub(super) fn from_table(
    table: CoapTable,
    limits: &mut coap::Limits,
    listen: IpAddr,
) -> Result<CoapSettings, ConfigError> {
    if let Some(size) = table.block_size {
        limits.first_block_exponent = block_size("[coap]", size)?;
    }
    if let Some(delay) = table.ack_delay {
        limits.ack_delay = ack_delay("[coap] ack_delay", &delay)?;
    }
    if let Some(delay) = table.ack_delay_max {
        limits.ack_delay_max = ack_delay("[coap] ack_delay_max", &delay)?;
    }
    if let Some(text) = table.leisure {
        limits.leisure = span::within("[coap] leisure", &text, LEISURE)?;
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
