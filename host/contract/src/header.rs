//! HTTP headers that a rule may add to a call (`types.http-request`): a list of what passes. A list of what is withheld
//! would never be complete: each proxy has headers of its own from which it takes a client, a method or a path.

/// Headers that every rule may send: they describe the body and the response, and no proxy acts on them.
const FOR_EVERY_RULE: [&str; 5] = [
    "content-type",
    "accept",
    "if-match",
    "if-none-match",
    "if-modified-since",
];
/// The start of names that belong to Matrix, which every rule may send.
const OF_MATRIX: &str = "x-matrix-";
/// Credentials, and headers that the gateway's HTTP client sets. No operator can grant them: with them a rule would
/// choose the account, the homeserver, or where the request ends (RFC 9110 §7.6.1, RFC 9112 §6).
const OF_THE_GATEWAY: [&str; 15] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Bytes of a name: HTTP libraries refuse names of 64 KiB.
const MAX_NAME: usize = 256;

/// The names of further headers that the operator lets a rule send (`[[rule]] allow_headers`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderGrants(Vec<String>);

/// A name that cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGrantable {
    /// It is no name of a header.
    #[error("write a header's name in lower case, as in x-tenant")]
    Name,
    /// It is a credential, or the gateway sets it.
    #[error("this header is a credential or set by the gateway itself, so no rule can send it")]
    OfTheGateway,
}

impl HeaderGrants {
    /// A grant of these names.
    ///
    /// # Errors
    /// The first name that cannot be granted, and why.
    pub fn new(names: Vec<String>) -> Result<Self, (String, NotGrantable)> {
        for name in &names {
            if let Err(fault) = check(name) {
                return Err((name.clone(), fault));
            }
        }
        Ok(Self(names))
    }

    /// Whether a rule with this grant may send a header of this name.
    #[must_use]
    pub fn pass(&self, name: &str) -> bool {
        let is_granted = FOR_EVERY_RULE.contains(&name)
            || name.starts_with(OF_MATRIX)
            || self.0.iter().any(|granted| granted == name);
        is_granted && check(name).is_ok()
    }
}

/// Whether some rule may send a header of this name.
#[must_use]
pub fn is_grantable(name: &str) -> bool {
    check(name).is_ok()
}

fn check(name: &str) -> Result<(), NotGrantable> {
    let is_token = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_token || name.is_empty() || name.len() > MAX_NAME {
        Err(NotGrantable::Name)
    } else if OF_THE_GATEWAY.contains(&name) {
        Err(NotGrantable::OfTheGateway)
    } else {
        Ok(())
    }
}

/// Whether this can be a header's value: printable ASCII, spaces and tabs (RFC 9110 §5.5).
#[must_use]
pub fn is_value(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_from_which_proxies_take_a_client_a_method_or_a_path_do_not_pass() {
        let none = HeaderGrants::default();
        for name in [
            "x-client-ip",
            "x-originating-ip",
            "x-remote-ip",
            "x-remote-addr",
            "x-cluster-client-ip",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-envoy-external-address",
            "x-http-method-override",
            "x-method-override",
            "x-original-url",
            "x-rewrite-url",
            "x-accel-redirect",
            "x-sendfile",
            "x-own",
            "forwarded",
            "via",
            "true-client-ip",
            "cf-connecting-ip",
            "fastly-client-ip",
            "client-ip",
            "origin",
            "referer",
            "range",
            "content-encoding",
            "user-agent",
            "x-matrix",
        ] {
            assert!(!none.pass(name), "{name}");
            let granted = HeaderGrants::new(vec![name.to_owned()]).unwrap();
            assert!(granted.pass(name) && !granted.pass("x-other"), "{name}");
        }
        for name in FOR_EVERY_RULE.into_iter().chain(["x-matrix-device"]) {
            assert!(none.pass(name), "{name}");
        }
    }

    #[test]
    fn headers_of_the_gateway_and_malformed_names_cannot_be_granted() {
        let refused = |name: &str| {
            let (shown, fault) = HeaderGrants::new(vec![name.to_owned()]).unwrap_err();
            assert_eq!(shown, name);
            fault
        };
        for name in OF_THE_GATEWAY {
            assert_eq!(refused(name), NotGrantable::OfTheGateway, "{name}");
            assert!(!is_grantable(name));
        }
        for name in [
            "",
            "X-Own",
            "x own",
            "x-own\r\nx-two",
            "x:y",
            &"x".repeat(257),
        ] {
            assert_eq!(refused(name), NotGrantable::Name, "{name}");
        }
        let none = HeaderGrants::default();
        assert!(!none.pass("x-matrix-\r\nauthorization") && !none.pass("x-matrix-A"));
    }
}
