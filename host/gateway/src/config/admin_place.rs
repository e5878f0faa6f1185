//! The place of the status page: a Unix socket, or a port of the loopback address.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use contract::escaping::escaped;
use store::private_socket::default_path;

/// The place of the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A Unix socket, for the gateway's own user and root only.
    Socket(PathBuf),
    /// A port of the loopback address, for every user who is logged in on this machine.
    Loopback(SocketAddr),
}

impl Place {
    /// Parses `127.0.0.1:9683`, `[::1]:9683` or the path of a socket; a relative path is one in `folder`.
    ///
    /// # Errors
    /// A sentence with the reason and a correct example.
    pub fn parse(text: &str, folder: Option<&Path>) -> Result<Self, String> {
        let shown = || escaped(text, 100);
        if let Ok(address) = text.parse::<SocketAddr>() {
            return if address.ip().is_loopback() {
                Ok(Self::Loopback(address))
            } else {
                Err(format!(
                    "admin: {address} can be reached from the network, and the status page has no password; use a \
                     loopback address such as 127.0.0.1:{}, or the path of a socket, and connect through SSH",
                    address.port()
                ))
            };
        }
        // A number, or a host name with a port, is meant as an address.
        let is_address = |text: &str| {
            let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        };
        if text.is_empty() || is_address(text) {
            return Err(format!(
                "admin: \"{}\" is neither a path nor an address with a port; use the path of a socket such as \
                 /run/comatrix/admin.sock, or 127.0.0.1:9683",
                shown()
            ));
        }
        let path = Path::new(text);
        Ok(Self::Socket(folder.map_or_else(
            || path.to_owned(),
            |folder| folder.join(path),
        )))
    }

    /// The default socket.
    #[must_use]
    pub fn standard() -> Option<Self> {
        default_path("admin.sock").map(Self::Socket)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => f.write_str(&escaped(&path.display().to_string(), 200)),
            Self::Loopback(address) => write!(f, "http://{address}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_socket_or_a_port_of_the_loopback_address() {
        let parse = |text| Place::parse(text, Some(Path::new("/etc/comatrix")));
        let loopback = |text: &str| Ok(Place::Loopback(text.parse().unwrap()));
        assert_eq!(parse("127.0.0.1:9683"), loopback("127.0.0.1:9683"));
        assert_eq!(parse("[::1]:0"), loopback("[::1]:0"));
        let socket = |path: &str| Ok(Place::Socket(path.into()));
        assert_eq!(parse("/run/admin.sock"), socket("/run/admin.sock"));
        assert_eq!(parse("admin.sock"), socket("/etc/comatrix/admin.sock"));
    }

    #[test]
    fn an_address_on_the_network_is_refused_with_a_remedy() {
        for wrong in [
            "0.0.0.0:9683",
            "[::]:9683",
            "192.0.2.1:9683",
            "[fe80::1]:9683",
        ] {
            let error = Place::parse(wrong, None).unwrap_err();
            assert!(
                error.contains("127.0.0.1:9683") && error.contains("SSH"),
                "{error}"
            );
        }
        for wrong in ["", "9683", "localhost:9683", ":9683"] {
            let error = Place::parse(wrong, None).unwrap_err();
            assert!(error.contains("127.0.0.1:9683"), "{error}");
        }
    }
}
