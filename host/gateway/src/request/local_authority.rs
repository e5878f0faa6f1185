//! Requests that name this gateway itself (RFC 7252 §5.7.2): a Proxy-Uri `coap://GATEWAY/path`, or Proxy-Scheme `coap`
//! with Uri-Host and Uri-Port, is a local request. The gateway forwards nothing to other CoAP servers.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::error::GatewayError;
use coap::{Message, option};
use contract::path_segment::decoded;
use transport::is_own_address;

/// Port of `coap` (RFC 7252 §6.1).
const COAP_PORT: u16 = 5683;

/// Names of this gateway, in addition to its addresses.
#[derive(Default)]
pub struct LocalNames(Vec<String>);

impl LocalNames {
    /// These names; a request may write them in any case.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| name.to_lowercase()).collect())
    }

    /// Whether a host is that of `local`, at which the request arrived, another address of this machine, or a local
    /// name, and the port that of `local`. A request may omit both.
    fn is_local(&self, host: Option<&str>, port: Option<u32>, local: Option<SocketAddr>) -> bool {
        let Some(local) = local else { return false };
        let is_port = port.is_none_or(|port| port == u32::from(local.port()));
        let is_host = || {
            host.is_none_or(|host| {
                let literal = host.trim_start_matches('[').trim_end_matches(']');
                match literal.parse::<IpAddr>() {
                    Ok(address) => {
                        address.to_canonical() == local.ip().to_canonical()
                            || is_own_address(address)
                    }
                    Err(_) => self.0.contains(&host.to_lowercase()),
                }
            })
        };
        is_port && is_host()
    }

    /// Turns a request that names this gateway into one without Proxy-Uri and Proxy-Scheme. A request to a homeserver
    /// stays as it is. `local` is the gateway's address at which the request arrived.
    ///
    /// # Errors
    /// 5.05 for another CoAP server or scheme; 4.00 if the URI does not parse.
    pub(super) fn resolve(
        &self,
        request: &mut Message,
        local: Option<SocketAddr>,
    ) -> Result<(), GatewayError> {
        if let Some(uri) = request.option(option::PROXY_URI) {
            let is_coap = uri
                .get(..5)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"coap:"));
            return if is_coap {
                let uri = uri.to_vec();
                self.resolve_uri(request, &uri, local)
            } else {
                Ok(())
            };
        }
        let Some(scheme) = request.option(option::PROXY_SCHEME) else {
            return Ok(());
        };
        if !scheme.eq_ignore_ascii_case(b"coap") {
            return Err(GatewayError::ProxyingNotSupported(
                "Proxy-Scheme must be coap; name a homeserver in Proxy-Uri",
            ));
        }
        let host = request
            .option(option::URI_HOST)
            .map(|host| String::from_utf8_lossy(host).into_owned());
        let port = request.uint_option(option::URI_PORT);
        if !self.is_local(host.as_deref(), port, local) {
            return Err(not_local());
        }
        for number in [option::PROXY_SCHEME, option::URI_HOST, option::URI_PORT] {
            request.remove_option(number);
        }
        Ok(())
    }

    fn resolve_uri(
        &self,
        request: &mut Message,
        uri: &[u8],
        local: Option<SocketAddr>,
    ) -> Result<(), GatewayError> {
        let text =
            std::str::from_utf8(uri).map_err(|_| GatewayError::ProxyUri("it is not UTF-8"))?;
        if text
            .bytes()
            .any(|byte| byte.is_ascii_control() || byte == b' ')
        {
            return Err(GatewayError::ProxyUri(
                "it has spaces or control characters",
            ));
        }
        let url =
            Url::parse(text).map_err(|_| GatewayError::ProxyUri("it is not an absolute URI"))?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let port = url.port().unwrap_or(COAP_PORT);
        let host = url.host_str().filter(|host| !host.is_empty());
        if !is_plain || host.is_none() || !self.is_local(host, Some(port.into()), local) {
            return Err(not_local());
        }
        if url.fragment().is_some() {
            return Err(GatewayError::ProxyUri("it has a fragment; write # as %23"));
        }
        // From the text itself: the parser would resolve dot segments.
        let after = text.split_once("://").map_or("", |(_, after)| after);
        let target = after.find(['/', '?']).map_or("", |start| &after[start..]);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Proxy-Uri replaces these options (RFC 7252 §5.10.2).
        for number in [
            option::PROXY_URI,
            option::PROXY_SCHEME,
            option::URI_HOST,
            option::URI_PORT,
            option::URI_PATH,
            option::URI_QUERY,
        ] {
            request.remove_option(number);
        }
        let path = path.strip_prefix('/').filter(|path| !path.is_empty());
        let query = Some(query).filter(|query| !query.is_empty());
        push(request, option::URI_PATH, path, '/')?;
        push(request, option::URI_QUERY, query, '&')
    }
}

/// Adds the parts of a text as options (RFC 7252 §6.4).
fn push(
    request: &mut Message,
    number: u16,
    text: Option<&str>,
    separator: char,
) -> Result<(), GatewayError> {
    for part in text.into_iter().flat_map(|text| text.split(separator)) {
        let part = decoded(part).ok_or(GatewayError::ProxyUri(
            "a % escape in it is invalid; write % as %25",
        ))?;
        request.push_option(number, part);
    }
    Ok(())
}

fn not_local() -> GatewayError {
    GatewayError::ProxyingNotSupported(
        "coap: use an address of this gateway, or a name in [coap] names",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap::code;

    /// Path and query of the local request, or the code of the error response.
    fn resolved(mut request: Message) -> Result<(Vec<String>, Vec<String>), u8> {
        let names = LocalNames::new(["Gateway.local".to_owned()]);
        let local = "[::ffff:192.0.2.1]:5683".parse().ok();
        names
            .resolve(&mut request, local)
            .map_err(|error| error.code())?;
        assert!(request.option(option::PROXY_URI).is_none());
        assert!(request.option(option::PROXY_SCHEME).is_none());
        let texts = |number| {
            let values = request.options(number);
            values
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        Ok((texts(option::URI_PATH), texts(option::URI_QUERY)))
    }

    fn uri(uri: &str) -> Result<(Vec<String>, Vec<String>), u8> {
        let request = Message::new(code::GET).with_option(option::URI_PATH, "other");
        resolved(request.with_option(option::PROXY_URI, uri))
    }

    fn parts(path: &[&str], query: &[&str]) -> Result<(Vec<String>, Vec<String>), u8> {
        let owned = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
        Ok((owned(path), owned(query)))
    }

    #[test]
    fn a_proxy_uri_of_the_gateways_own_authority_is_a_local_request() {
        let time = parts(&["time"], &[]);
        assert_eq!(uri("coap://192.0.2.1/time"), time);
        assert_eq!(uri("coap://192.0.2.1:5683/time"), time);
        assert_eq!(uri("COAP://gateway.LOCAL/time"), time);
        for own in ["coap://127.0.0.1/time", "coap://[::1]/time"] {
            assert_eq!(uri(own), time, "{own}");
        }
        assert_eq!(
            uri("coap://192.0.2.1/a%2Fb/c?x=1&y=%20"),
            parts(&["a/b", "c"], &["x=1", "y= "])
        );
        assert_eq!(uri("coap://192.0.2.1"), parts(&[], &[]));
        assert_eq!(uri("coap://192.0.2.1?x"), parts(&[], &["x"]));
    }

    #[test]
    fn dot_segments_stay_for_the_check_of_the_path() {
        assert_eq!(
            uri("coap://192.0.2.1/a/../b"),
            parts(&["a", "..", "b"], &[])
        );
    }

    #[test]
    fn other_servers_ports_and_schemes_are_5_05_and_a_uri_that_does_not_parse_is_4_00() {
        for elsewhere in [
            "coap://198.51.100.2/time",
            "coap://127.0.0.1:1/time",
            "coap://192.0.2.1:5684/time",
            "coap://other.local/time",
            "coap://u@192.0.2.1/time",
            "coap:///time",
            "coap:time",
        ] {
            assert_eq!(uri(elsewhere), Err(0xa5), "{elsewhere}");
        }
        for broken in ["coap://192.0.2.1/%zz", "coap://192.0.2.1/#a", "coap://[/"] {
            assert_eq!(uri(broken), Err(0x80), "{broken}");
        }
    }

    #[test]
    fn proxy_scheme_coap_with_the_local_host_is_a_local_request_and_anything_else_is_5_05() {
        let request = |scheme: &str, host: Option<&str>, port: Option<u32>| {
            let mut request = Message::new(code::GET)
                .with_option(option::URI_PATH, "time")
                .with_option(option::PROXY_SCHEME, scheme);
            if let Some(host) = host {
                request.push_option(option::URI_HOST, host);
            }
            if let Some(port) = port {
                request.push_uint_option(option::URI_PORT, port);
            }
            resolved(request)
        };
        let time = parts(&["time"], &[]);
        assert_eq!(request("coap", None, None), time);
        assert_eq!(request("coap", Some("192.0.2.1"), Some(5683)), time);
        assert_eq!(request("coap", Some("gateway.local"), None), time);
        assert_eq!(request("coap", Some("127.0.0.1"), None), time);
        assert_eq!(request("coap", Some("198.51.100.9"), None), Err(0xa5));
        assert_eq!(request("coap", Some("192.0.2.1"), Some(1)), Err(0xa5));
        assert_eq!(request("http", Some("192.0.2.1"), None), Err(0xa5));
    }

    #[test]
    fn a_homeserver_in_proxy_uri_and_a_request_without_one_stay_as_they_are() {
        let names = LocalNames::default();
        for message in [
            Message::new(code::GET).with_option(option::URI_HOST, "anything"),
            Message::new(code::PUT).with_option(option::PROXY_URI, "http://localhost:8008/4"),
        ] {
            let mut request = message.clone();
            assert!(names.resolve(&mut request, None).is_ok());
            assert_eq!(request, message);
        }
    }
}
