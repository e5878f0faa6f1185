//! `--gateway`: a CoAP address with an optional port and, for link-local ones, a zone. Parsed by hand, since URLs
//! have no zones (RFC 6874 was withdrawn by RFC 9844).

use std::fmt;
use std::net::Ipv6Addr;

use super::usage::UsageError;

/// How the gateway is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// By CoAP over UDP (RFC 7252 §6.1).
    Coap,
    /// By CoAP over DTLS (RFC 7252 §6.2).
    Coaps,
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Coap => 5683,
            Self::Coaps => 5684,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Coap => "coap",
            Self::Coaps => "coaps",
        }
    }
}

/// The address of the gateway; names are resolved later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GatewayAddress {
    pub(super) scheme: Scheme,
    /// A name, an IPv4 address, or an IPv6 address with its zone if it has one.
    pub(super) host: String,
    pub(super) port: u16,
}

impl GatewayAddress {
    /// Reads `coap://HOST[:PORT]` or `coaps://HOST[:PORT]`.
    pub(super) fn parse(text: &str) -> Result<Self, UsageError> {
        let refuse = |reason| UsageError::Gateway {
            text: text.to_owned(),
            reason,
        };
        let schemes = [Scheme::Coap, Scheme::Coaps];
        let (scheme, authority) = schemes
            .into_iter()
            .find_map(|scheme| {
                let rest = text.strip_prefix(scheme.name())?;
                Some((scheme, rest.strip_prefix("://")?))
            })
            .ok_or_else(|| refuse("it does not start with coap:// or coaps://"))?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#', '@']) {
            return Err(refuse("it has more than host and port"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest
                    .split_once(']')
                    .ok_or_else(|| refuse("the closing bracket is missing"))?;
                // RFC 6874 wrote the `%` before a zone as `%25`.
                (
                    ipv6_host(&address.replacen("%25", "%", 1)).map_err(refuse)?,
                    port,
                )
            }
            None => match authority.split_once(':') {
                Some((_, rest)) if rest.contains(':') => {
                    return Err(refuse("an IPv6 address needs brackets"));
                }
                Some((host, _)) => (host.to_owned(), &authority[host.len()..]),
                None => (authority.to_owned(), ""),
            },
        };
        if host.is_empty()
            || host
                .chars()
                .any(|character| character.is_whitespace() || character.is_control())
        {
            return Err(refuse("its host is missing or has spaces"));
        }
        let port = match port.strip_prefix(':') {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| refuse("its port is not between 1 and 65535"))?,
            None if port.is_empty() => scheme.default_port(),
            None => return Err(refuse("there is text after the closing bracket")),
        };
        Ok(Self { scheme, host, port })
    }
}

fn ipv6_host(text: &str) -> Result<String, &'static str> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address: Ipv6Addr = address
        .parse()
        .map_err(|_| "the text in brackets is not an IPv6 address")?;
    match zone {
        None if address.is_unicast_link_local() => {
            Err("a link-local address needs its zone, the name of the interface")
        }
        Some("") => Err("the zone after % is empty"),
        Some(zone) => Ok(format!("{address}%{zone}")),
        None => Ok(address.to_string()),
    }
}

impl fmt::Display for GatewayAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.name();
        match self.host.contains(':') {
            true => write!(formatter, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(formatter, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_addresses_are_read_with_and_without_port() {
        for (text, shown) in [
            ("coap://localhost", "coap://localhost:5683"),
            ("coap://gateway.lan:61616/", "coap://gateway.lan:61616"),
            ("coap://192.0.2.1", "coap://192.0.2.1:5683"),
            ("coap://[::1]", "coap://[::1]:5683"),
            ("coaps://gateway.lan", "coaps://gateway.lan:5684"),
            ("coaps://[::1]:1", "coaps://[::1]:1"),
            ("coap://[2001:db8:0::1]:5684", "coap://[2001:db8::1]:5684"),
            ("coap://[fe80::1%eth0]", "coap://[fe80::1%eth0]:5683"),
            ("coap://[fe80::1%25lowpan0]:1", "coap://[fe80::1%lowpan0]:1"),
        ] {
            let address = GatewayAddress::parse(text).expect(text);
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn text_that_is_not_an_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("localhost", "start with coap://"),
            ("coapss://h", "start with coap://"),
            ("coaps:h", "or coaps://"),
            ("coap://", "host is missing"),
            ("coap://:5683", "host is missing"),
            ("coap://h:0", "port"),
            ("coap://h:99999", "port"),
            ("coap://h/time", "host and port"),
            ("coap://u@h", "host and port"),
            ("coap://::1", "brackets"),
            ("coap://[::1", "bracket is missing"),
            ("coap://[::1]5683", "after the closing bracket"),
            ("coap://[localhost]", "not an IPv6 address"),
            ("coap://[fe80::1]", "needs its zone"),
            ("coap://[fe80::1%]", "zone after % is empty"),
        ] {
            let error = GatewayAddress::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_displayed_addresses_are_read_again(text in "(coaps?://)?[\\PC]{0,20}") {
            if let Ok(address) = GatewayAddress::parse(&text) {
                prop_assert_eq!(GatewayAddress::parse(&address.to_string()).ok(), Some(address));
            }
        }
    }
}
