//! `[coaps]`: where the gateway listens for devices with keys.

use std::fmt;
use std::net::{SocketAddr, SocketAddrV6};

use super::error::ConfigError;
use super::file::CoapsTable;
use super::listen_address::parse_ip;
use contract::escaping::escaped;

/// The port of `coaps` (RFC 7252 §6.2).
const PORT: u16 = 5684;

/// Where and when the gateway listens for DTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoapsListen {
    /// Never.
    Off,
    /// From the first enrolment of a device for it on, or from the start if a certificate is configured.
    WhenEnrolled(SocketAddr),
    /// From the start on.
    Always(SocketAddr),
}

/// As in the file.
impl fmt::Display for CoapsListen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::WhenEnrolled(listen) | Self::Always(listen) => write!(formatter, "{listen}"),
        }
    }
}

/// The setting of the command line, else that of the file; else the address of plain CoAP, and the port of `coaps`.
///
/// # Errors
/// [`ConfigError`] for a text that is neither `off` nor an address with a port.
pub(super) fn listen(
    argument: Option<&str>,
    table: &CoapsTable,
    plain: SocketAddr,
) -> Result<CoapsListen, ConfigError> {
    match argument.or(table.listen.as_deref()) {
        None => {
            let mut listen = plain;
            listen.set_port(PORT);
            Ok(CoapsListen::WhenEnrolled(listen))
        }
        Some("off") => Ok(CoapsListen::Off),
        Some(text) => parse(text).map(CoapsListen::Always),
    }
}

fn parse(text: &str) -> Result<SocketAddr, ConfigError> {
    let wrong = || {
        ConfigError(format!(
            "[coaps] listen = \"{}\": write an address with its port, such as [::]:{PORT}, 192.0.2.1:{PORT} or \
             [fe80::1%lowpan0]:{PORT}; or \"off\"",
            escaped(text, 64)
        ))
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if in_brackets.is_none() && host.contains(':') {
        return Err(wrong());
    }
    let (address, zone) = parse_ip(in_brackets.unwrap_or(host))?;
    Ok(match SocketAddr::new(address, port) {
        SocketAddr::V6(v6) if zone != 0 => SocketAddrV6::new(*v6.ip(), port, 0, zone).into(),
        address => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen_with(argument: Option<&str>, file: Option<&str>) -> Result<CoapsListen, String> {
        let table = CoapsTable {
            listen: file.map(str::to_owned),
            ..CoapsTable::default()
        };
        let plain = "192.0.2.7:5683".parse().unwrap();
        listen(argument, &table, plain).map_err(|error| error.to_string())
    }

    #[test]
    fn it_listens_where_plain_coap_does_as_soon_as_a_device_is_enrolled() {
        let listen = listen_with(None, None).unwrap();
        assert_eq!(
            listen,
            CoapsListen::WhenEnrolled("192.0.2.7:5684".parse().unwrap())
        );
    }

    #[test]
    fn an_address_is_opened_at_once_and_off_is_never() {
        let always = |text: &str| Ok(CoapsListen::Always(text.parse().unwrap()));
        assert_eq!(
            listen_with(Some("[::]:5684"), Some("off")),
            always("[::]:5684")
        );
        assert_eq!(
            listen_with(None, Some("192.0.2.1:1")),
            always("192.0.2.1:1")
        );
        assert_eq!(listen_with(None, Some("off")), Ok(CoapsListen::Off));
        assert_eq!(
            listen_with(Some("[fe80::1%lo]:5684"), None),
            Ok(CoapsListen::Always("[fe80::1%1]:5684".parse().unwrap()))
        );
    }

    #[test]
    fn what_is_no_address_with_a_port_is_refused_with_an_example() {
        for text in [
            "",
            "on",
            "5684",
            "::",
            "[::]",
            "::1:5684",
            "[::]:99999",
            "host:5684",
            "[fe80::1]:5684",
        ] {
            let error = listen_with(Some(text), None).unwrap_err();
            assert!(
                error.contains("::") && error.contains("fe80::1%lowpan0"),
                "{text}: {error}"
            );
        }
    }
}
