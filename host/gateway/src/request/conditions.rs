//! Conditions of a request on the representation in its response: ETag, If-Match (RFC 7252 §5.10.6, §5.10.8.1) and an
//! Accept of problem details. And the ETags that representations get.

use std::hash::{BuildHasher, RandomState};

use super::error::GatewayError;
use coap::option::content_format::PROBLEM_DETAILS;
use coap::{Message, code, option};

/// The smallest payload that gets an ETag. The option takes 5 bytes, here and in the next request: it saves nothing for
/// a smaller payload.
const MIN_PAYLOAD: usize = 16;

/// Makes ETags. They are hashes with a random key, so that an attacker cannot write a message that has another one's
/// ETag. The key changes with a restart: then a device gets the payload once more.
#[derive(Default)]
pub(super) struct EntityTags(RandomState);

impl EntityTags {
    /// Adds the ETag to a 2.05, unless it has none.
    pub(super) fn set(&self, response: &mut Message) {
        if response.code == code::CONTENT
            && let Some(tag) = self.of(response)
        {
            response.set_option(option::ETAG, tag);
        }
    }

    fn of(&self, response: &Message) -> Option<Vec<u8>> {
        if let Some(own) = response.option(option::ETAG) {
            return Some(own.to_vec());
        }
        let hash = self.0.hash_one((
            response.option(option::CONTENT_FORMAT),
            response.payload.as_slice(),
        ));
        (response.payload.len() >= MIN_PAYLOAD).then(|| hash.to_be_bytes()[..4].to_vec())
    }
}

/// The conditions of a request.
pub(super) struct Conditions {
    /// Whether the method is GET or FETCH; other requests have no conditions here.
    is_safe: bool,
    /// ETag: representations that the client has.
    etags: Vec<Vec<u8>>,
    /// If-Match: the only representations that the client accepts.
    if_match: Vec<Vec<u8>>,
    /// Accept is problem details, the format of errors.
    only_problems: bool,
}

impl Conditions {
    pub(super) fn of(request: &Message) -> Self {
        let values = |number| request.options(number).map(<[u8]>::to_vec).collect();
        let accept = request.uint_option(option::ACCEPT);
        Self {
            is_safe: code::is_safe(request.code),
            etags: values(option::ETAG),
            if_match: values(option::IF_MATCH),
            only_problems: accept == Some(PROBLEM_DETAILS.into()),
        }
    }

    /// The response under these conditions: the response with an ETag, 2.03 if the client has that representation, 4.12
    /// if no If-Match holds, 4.06 if the client accepts only errors.
    pub(super) fn apply(&self, tags: &EntityTags, mut response: Message) -> Message {
        if !self.is_safe || code::class(response.code) != 2 {
            return response;
        }
        let format = response.uint_option(option::CONTENT_FORMAT);
        if self.only_problems && format != Some(PROBLEM_DETAILS.into()) {
            return GatewayError::NotAcceptable.response();
        }
        if response.code != code::CONTENT {
            return response;
        }
        let tag = tags.of(&response);
        // The empty If-Match requires only that the resource exists.
        let holds = |value: &Vec<u8>| value.is_empty() || tag.as_ref() == Some(value);
        if !self.if_match.is_empty() && !self.if_match.iter().any(holds) {
            return GatewayError::Precondition.response();
        }
        let Some(tag) = tag else {
            return response;
        };
        if self.etags.contains(&tag) {
            return valid(tag, &response);
        }
        response.set_option(option::ETAG, tag);
        response
    }
}

/// 2.03: the client's representation is valid for another Max-Age.
fn valid(tag: Vec<u8>, response: &Message) -> Message {
    let mut valid = Message::new(code::VALID).with_option(option::ETAG, tag);
    if let Some(max_age) = response.option(option::MAX_AGE) {
        valid.push_option(option::MAX_AGE, max_age);
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "a payload worth an ETag";

    fn content(body: &str) -> Message {
        Message::new(code::CONTENT)
            .with_uint_option(option::CONTENT_FORMAT, 60)
            .with_uint_option(option::MAX_AGE, 7)
            .with_payload(body)
    }

    fn get(number: u16, tag: &[u8]) -> Conditions {
        Conditions::of(&Message::new(code::GET).with_option(number, tag))
    }

    fn tag(tags: &EntityTags, body: &str) -> Vec<u8> {
        let unconditional = Conditions::of(&Message::new(code::GET));
        let response = unconditional.apply(tags, content(body));
        assert_eq!(response.payload, body.as_bytes());
        response.option(option::ETAG).expect("an ETag").to_vec()
    }

    #[test]
    fn a_client_that_has_the_representation_gets_2_03_without_it() {
        let tags = EntityTags::default();
        let tag = tag(&tags, BODY);
        let response = get(option::ETAG, &tag).apply(&tags, content(BODY));
        let expected = Message::new(code::VALID)
            .with_option(option::ETAG, tag.clone())
            .with_uint_option(option::MAX_AGE, 7);
        assert_eq!(response, expected);
        let response =
            get(option::ETAG, &tag).apply(&tags, content("another payload, with an ETag"));
        assert_eq!(response.code, code::CONTENT);
    }

    #[test]
    fn other_payloads_and_formats_have_other_etags() {
        let tags = EntityTags::default();
        assert_eq!(tag(&tags, BODY), tag(&tags, BODY));
        assert_ne!(tag(&tags, BODY), tag(&tags, "a payload worth another one"));
        let mut json = content(BODY);
        json.set_uint_option(option::CONTENT_FORMAT, 50);
        assert_ne!(tags.of(&json), tags.of(&content(BODY)));
        assert_ne!(tags.of(&json), EntityTags::default().of(&json));
    }

    #[test]
    fn an_if_match_of_another_representation_gets_4_12() {
        let tags = EntityTags::default();
        let tag = tag(&tags, BODY);
        let if_match = |tag: &[u8]| get(option::IF_MATCH, tag).apply(&tags, content(BODY)).code;
        assert_eq!(if_match(&tag), code::CONTENT);
        assert_eq!(if_match(b""), code::CONTENT);
        assert_eq!(if_match(b"another"), code::PRECONDITION_FAILED);
    }

    #[test]
    fn short_payloads_and_rules_with_etags_of_their_own_get_none() {
        let tags = EntityTags::default();
        let unconditional = Conditions::of(&Message::new(code::GET));
        assert_eq!(
            unconditional.apply(&tags, content("1790000000")),
            content("1790000000")
        );
        let own = content(BODY).with_option(option::ETAG, "v1");
        assert_eq!(unconditional.apply(&tags, own.clone()), own);
        assert_eq!(get(option::ETAG, b"v1").apply(&tags, own).code, code::VALID);
    }

    #[test]
    fn a_request_that_changes_something_has_no_conditions() {
        let tags = EntityTags::default();
        let put = Conditions::of(&Message::new(code::PUT).with_uint_option(option::ACCEPT, 257));
        assert_eq!(put.apply(&tags, content(BODY)), content(BODY));
    }

    #[test]
    fn a_success_for_a_client_that_accepts_only_problem_details_is_4_06() {
        let tags = EntityTags::default();
        let get = Conditions::of(&Message::new(code::GET).with_uint_option(option::ACCEPT, 257));
        assert_eq!(get.apply(&tags, content(BODY)).code, code::NOT_ACCEPTABLE);
        let error = Message::diagnostic(code::NOT_FOUND, "nothing");
        assert_eq!(get.apply(&tags, error.clone()), error);
    }
}
