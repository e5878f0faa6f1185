//! Which options are encrypted (class E) and which stay outside (class U): RFC 8613 §4.1, RFC 9175 §2.2 and
//! §3.2, and for Hop-Limit draft-ietf-core-oscore-capable-proxies. Class I has no option.

use coap::option::*;
use coap::{CoapOption, Message};

/// What a receiver does with an option outside the ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outer {
    /// Class U: kept, unless the option is inside too. Anybody on the way can change it.
    Kept,
    /// Class U, and decides where the request goes: see [`super::OuterProxy`].
    Proxy,
    /// Class E, whether or not it may also be outside for proxies: only the one inside counts (RFC 8613 §8.2, step 1).
    Discarded,
    /// Critical and not understood (RFC 7252 §5.4.1).
    Refused,
}

impl Outer {
    /// By number. Options that this gateway does not know are of class E (RFC 8613 §4.1).
    pub(super) fn of(number: u16) -> Self {
        match number {
            URI_HOST | URI_PORT | HOP_LIMIT => Self::Kept,
            PROXY_URI | PROXY_SCHEME => Self::Proxy,
            IF_MATCH | ETAG | IF_NONE_MATCH | OBSERVE | LOCATION_PATH | URI_PATH
            | CONTENT_FORMAT | MAX_AGE | URI_QUERY | ACCEPT | LOCATION_QUERY | BLOCK2 | BLOCK1
            | SIZE2 | SIZE1 | ECHO | ACCESS_TOKEN | NO_RESPONSE | REQUEST_TAG => Self::Discarded,
            _ if is_critical(number) => Self::Refused,
            _ => Self::Discarded,
        }
    }
}

/// Whether a request names where a proxy shall send it.
pub(super) fn names_a_proxy_target(message: &Message) -> bool {
    message.option(PROXY_URI).is_some() || message.option(PROXY_SCHEME).is_some()
}

/// Takes the options of class U out of a message that is to be protected. A proxy target stays inside, with the host
/// and port that belong to it: the receiver is the proxy (draft-ietf-core-oscore-capable-proxies).
pub(super) fn take_outer(message: &mut Message) -> Vec<CoapOption> {
    message.remove_option(OSCORE);
    let is_target_inside = names_a_proxy_target(message);
    let is_outer = |option: &mut CoapOption| match option.number {
        URI_HOST | URI_PORT => !is_target_inside,
        HOP_LIMIT => true,
        _ => false,
    };
    message.options.extract_if(.., is_outer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_nobody_knows_is_refused_outside_only_if_it_is_critical() {
        assert_eq!(Outer::of(65_001), Outer::Refused);
        assert_eq!(Outer::of(65_000), Outer::Discarded);
        // Which is why a second OSCORE option is refused.
        assert_eq!(Outer::of(OSCORE), Outer::Refused);
    }

    #[test]
    fn host_and_port_stay_outside_unless_they_belong_to_a_proxy_target() {
        let plain = Message::new(1)
            .with_option(URI_HOST, "gateway")
            .with_uint_option(URI_PORT, 5683)
            .with_option(URI_PATH, "time")
            .with_option(ACCESS_TOKEN, "secret");
        let mut message = plain.clone();
        let outer: Vec<u16> = take_outer(&mut message)
            .iter()
            .map(|one| one.number)
            .collect();
        assert_eq!(outer, [URI_HOST, URI_PORT]);
        assert!(message.option(URI_PATH).is_some() && message.option(ACCESS_TOKEN).is_some());
        let mut proxied = plain.with_option(PROXY_SCHEME, "https");
        assert_eq!(take_outer(&mut proxied), []);
    }
}
