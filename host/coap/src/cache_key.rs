//! Keys of block-wise bodies (RFC 7959 §2.4): blocks belong together if the peer, the method and the options of the
//! cache key (RFC 7252 §5.4.2) are the same.

use std::hash::{Hash, Hasher};

use crate::code;
use crate::message::Message;
use crate::option::{
    BLOCK1, BLOCK2, CONTENT_FORMAT, NO_RESPONSE, OBSERVE, REQUEST_TAG, is_no_cache_key,
};
use crate::peer::Peer;
use crate::secret::Secret;

/// Identifies a block-wise body: the peer, and a keyed hash of its security association, method and options. A
/// collision could confuse only bodies of one peer, and no peer can compute one without the endpoint's seed.
pub(super) type BodyKey<P> = (Peer<P>, u64);

struct Key<'a> {
    association: Option<u64>,
    request: &'a Message,
    ignored: &'a [u16],
    /// Ignored too: [`KnownOptions::sticky`](crate::KnownOptions::sticky).
    sticky: &'a [u16],
}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.association.hash(state);
        self.request.code.hash(state);
        for option in &self.request.options {
            let is_ignored =
                self.ignored.contains(&option.number) || self.sticky.contains(&option.number);
            if !is_no_cache_key(option.number) && !is_ignored {
                option.number.hash(state);
                option.value.hash(state);
            }
        }
    }
}

/// Key of a request body. Content-Format and Request-Tag are part of it, so blocks that differ there are never
/// assembled together (RFC 7959 §2.5, RFC 9175 §3.3).
pub(super) fn request_body_key<P: Clone>(
    secret: &Secret,
    peer: &Peer<P>,
    association: Option<u64>,
    sticky: &[u16],
    request: &Message,
) -> BodyKey<P> {
    (
        peer.clone(),
        secret.hash(Key {
            association,
            request,
            ignored: &[BLOCK1, BLOCK2, OBSERVE, NO_RESPONSE],
            sticky,
        }),
    )
}

/// Identifies a response body: its key, and for FETCH, whose response depends on the request's body (RFC 8132 §2), a
/// keyed hash of that body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseKey<P> {
    pub(super) body: BodyKey<P>,
    /// None if the request is no FETCH or has no body.
    pub(super) request_body: Option<u64>,
}

/// Key of a response body. Clients request later blocks without the request's body (RFC 7959 §3.3), so the options that
/// describe that body are not part of the key; the ETag shows a client that two requests have different response
/// bodies. Two FETCHes are distinguished if the request's body comes again.
pub(super) fn response_body_key<P: Clone>(
    secret: &Secret,
    peer: &Peer<P>,
    association: Option<u64>,
    sticky: &[u16],
    request: &Message,
) -> ResponseKey<P> {
    let ignored = &[
        BLOCK1,
        BLOCK2,
        OBSERVE,
        CONTENT_FORMAT,
        REQUEST_TAG,
        NO_RESPONSE,
    ];
    let has_body = request.code == code::FETCH && !request.payload.is_empty();
    ResponseKey {
        body: (
            peer.clone(),
            secret.hash(Key {
                association,
                request,
                ignored,
                sticky,
            }),
        ),
        request_body: has_body
            .then(|| secret.hash((request.option(CONTENT_FORMAT), &request.payload))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{GET, PUT};
    use crate::option::{ACCEPT, ACCESS_TOKEN, PROXY_URI, SIZE1, URI_HOST, URI_PATH, URI_QUERY};
    use crate::peer::test_peer;

    #[test]
    fn bodies_of_other_resources_credentials_and_formats_have_other_keys() {
        let secret = Secret::new([1; 16]);
        let key = |request: &Message| request_body_key(&secret, &test_peer(()), None, &[], request);
        let base = Message::new(PUT).with_option(URI_PATH, "send");
        for number in [
            URI_PATH,
            URI_QUERY,
            URI_HOST,
            PROXY_URI,
            ACCEPT,
            ACCESS_TOKEN,
            CONTENT_FORMAT,
            REQUEST_TAG,
        ] {
            assert_ne!(
                key(&base),
                key(&base.clone().with_option(number, "x")),
                "{number}"
            );
        }
        assert_ne!(
            key(&base),
            key(&Message {
                code: GET,
                ..base.clone()
            })
        );
        for number in [BLOCK1, BLOCK2, SIZE1] {
            assert_eq!(
                key(&base),
                key(&base.clone().with_option(number, "x")),
                "{number}"
            );
        }
    }

    #[test]
    fn segments_cannot_be_shifted_from_one_option_to_the_next() {
        let secret = Secret::new([1; 16]);
        let key = |segments: [&str; 2]| {
            let request = Message::new(GET);
            let request = segments.iter().fold(request, |request, segment| {
                request.with_option(URI_PATH, *segment)
            });
            request_body_key(&secret, &test_peer(()), None, &[], &request)
        };
        assert_ne!(key(["ab", "c"]), key(["a", "bc"]));
    }

    #[test]
    fn fetches_of_other_bodies_and_formats_are_distinguished() {
        let secret = Secret::new([1; 16]);
        let key =
            |request: Message| response_body_key(&secret, &test_peer(()), None, &[], &request);
        let fetch = || Message::new(code::FETCH).with_option(URI_PATH, "a");
        let (one, other) = (
            key(fetch().with_payload("1")),
            key(fetch().with_payload("2")),
        );
        assert_eq!(one.body, other.body);
        assert_ne!(one.request_body, other.request_body);
        let formatted = fetch().with_uint_option(CONTENT_FORMAT, 60);
        assert_ne!(one, key(formatted.with_payload("1")));
        assert_eq!(key(fetch()).request_body, None);
    }

    #[test]
    fn a_remembered_option_may_be_left_out_of_the_request_for_a_later_block() {
        let secret = Secret::new([1; 16]);
        let key = |sticky: &[u16], request: &Message| {
            response_body_key(&secret, &test_peer(()), Some(1), sticky, request)
        };
        let later = Message::new(GET).with_option(URI_PATH, "a");
        let first = later
            .clone()
            .with_option(ACCESS_TOKEN, "t")
            .with_option(257, [1]);
        assert_eq!(
            key(&[ACCESS_TOKEN, 257], &first),
            key(&[ACCESS_TOKEN, 257], &later)
        );
        assert_ne!(key(&[257], &first), key(&[257], &later));
    }

    #[test]
    fn a_later_response_block_is_asked_for_without_the_request_body() {
        let secret = Secret::new([1; 16]);
        let first = Message::new(PUT)
            .with_option(URI_PATH, "a")
            .with_uint_option(CONTENT_FORMAT, 60);
        let later = Message::new(PUT)
            .with_option(URI_PATH, "a")
            .with_option(BLOCK2, [0x16]);
        assert_eq!(
            response_body_key(&secret, &test_peer(()), None, &[], &first),
            response_body_key(&secret, &test_peer(()), None, &[], &later)
        );
    }
}
