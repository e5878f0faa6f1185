//! The Host header of a request. Another site can make its own name resolve to this machine (DNS rebinding) and would
//! then have the same origin as the status page. Therefore the status page is served only for names that no other site
//! can have.

use std::net::IpAddr;

use hyper::Request;
use hyper::header::HOST;
use hyper::http::uri::Authority;

/// Whether a request is for `localhost` or a loopback address, with any port: an SSH tunnel may use another one.
pub(super) fn is_own<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let host = host.to_str().ok().and_then(|host| host.parse().ok());
    // RFC 9112 §3.2.2: the authority of the target overrides the header.
    host.is_some_and(|host| is_loopback(&host)) && request.uri().authority().is_none_or(is_loopback)
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    // An invalid port could hide another host.
    let has_port = authority.as_str().len() > host.len();
    !authority.as_str().contains('@')
        && (!has_port || authority.port_u16().is_some())
        && (host.eq_ignore_ascii_case("localhost")
            || address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(uri: &str, hosts: &[&str]) -> bool {
        let request = hosts.iter().fold(Request::get(uri), |request, host| {
            request.header(HOST, *host)
        });
        is_own(&request.body(()).unwrap())
    }

    #[test]
    fn only_loopback_addresses_and_localhost_are_its_own() {
        for host in [
            "localhost",
            "LOCALHOST:9683",
            "127.0.0.1:80",
            "127.1.2.3",
            "[::1]",
            "[::1]:9683",
        ] {
            assert!(asks("/", &[host]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9683",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "[fe80::1]",
            "user@localhost",
            "localhost, evil.example",
            "localhost:x",
            "127.0.0.1:9683.evil.example",
        ] {
            assert!(!asks("/", &[host]), "{host}");
        }
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_refused() {
        assert!(!asks("/", &[]));
        assert!(!asks("/", &["localhost", "localhost"]));
        assert!(!asks("http://evil.example/", &["localhost"]));
        assert!(asks("http://localhost/", &["localhost"]));
    }
}
