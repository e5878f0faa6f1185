//! Whether an address is one of this machine.

use std::net::{IpAddr, UdpSocket};

/// Whether an interface of this machine has this address: only then the system binds a socket to it. It takes three
/// system calls, and no list of interfaces has to be kept. A group and the unspecified address are nobody's.
#[must_use]
pub fn is_own_address(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_one_host = !address.is_unspecified() && !address.is_multicast();
    is_one_host && UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_an_interface_is_own_and_others_are_not() {
        let is_own = |text: &str| is_own_address(text.parse().expect("it is an address"));
        for own in ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
            assert!(is_own(own), "{own}");
        }
        for other in [
            "198.51.100.1",
            "2001:db8::1",
            "0.0.0.0",
            "::",
            "ff02::fd",
            "224.0.1.187",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }
}
