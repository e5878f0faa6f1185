//! The address to listen on, with the zone of a link-local one (RFC 4007 §11).

use std::net::IpAddr;

/// Parses an address of the command line or the file.
///
/// # Errors
/// A sentence with the reason and a correct example.
pub fn parse_ip(text: &str) -> Result<(IpAddr, u32), String> {
    let (address, zone) = text
        .split_once('%')
        .map_or((text, None), |(address, zone)| (address, Some(zone)));
    let address: IpAddr = address.parse().map_err(|_| {
        format!("\"{text}\" is not an IP address; use one such as ::, 0.0.0.0 or fe80::1%lowpan0")
    })?;
    let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    match (link_local, zone) {
        (true, None) => Err(format!(
            "the link-local address {address} needs an interface: write {address}%INTERFACE, for example \
             {address}%lowpan0"
        )),
        (false, Some(_)) => Err(format!(
            "only link-local addresses have a zone: write {address}"
        )),
        (false, None) => Ok((address, 0)),
        (true, Some(zone)) => interface_index(zone).map(|index| (address, index)),
    }
}

/// The index of a network interface, from its name or number (RFC 4007 §11).
fn interface_index(zone: &str) -> Result<u32, String> {
    let index_of = |name: &str| -> Option<u32> {
        let path = format!("/sys/class/net/{name}/ifindex");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let index = if let Ok(number) = zone.parse::<u32>() {
        let interfaces = std::fs::read_dir("/sys/class/net").into_iter().flatten();
        interfaces.flatten().find_map(|entry| {
            index_of(entry.file_name().to_str()?).filter(|index| *index == number)
        })
    } else if zone.is_empty() || zone.contains(['/', '.']) {
        None
    } else {
        index_of(zone)
    };
    index.ok_or_else(|| {
        format!(
            "there is no network interface \"{}\"; `ip link` lists them",
            contract::escaping::escaped(zone, 32)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_needs_its_zone() {
        let error = parse_ip("fe80::1").unwrap_err();
        assert!(error.contains("fe80::1%lowpan0"), "{error}");
        assert_eq!(parse_ip("fe80::1%1"), Ok(("fe80::1".parse().unwrap(), 1)));
        assert_eq!(parse_ip("fe80::1%lo"), Ok(("fe80::1".parse().unwrap(), 1)));
        assert!(
            parse_ip("fe80::1%no-such-if")
                .unwrap_err()
                .contains("ip link")
        );
        for zone in ["../lo", "", "0", "99999"] {
            assert!(parse_ip(&format!("fe80::1%{zone}")).is_err(), "{zone}");
        }
    }

    #[test]
    fn other_addresses_have_none() {
        assert_eq!(parse_ip("::"), Ok(("::".parse().unwrap(), 0)));
        assert_eq!(parse_ip("127.0.0.1"), Ok(("127.0.0.1".parse().unwrap(), 0)));
        assert!(parse_ip("::1%lo").is_err());
        assert!(parse_ip("localhost").is_err());
        assert!(parse_ip("").is_err());
    }
}
