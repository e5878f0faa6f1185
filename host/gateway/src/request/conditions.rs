//! What a request says about the representation that answers it (RFC 7252 §5.10.6, §5.10.8.1): the ones that the client has,
//! and the ones that it insists on. And the ETags that it needs for that.

use std::hash::{BuildHasher, RandomState};

use super::error::GatewayError;
use coap::option::content_format::PROBLEM_DETAILS;
use coap::{Message, code, option};

/// Bytes of a payload that has an ETag. The option takes 5 bytes here and in the next request: below this, repeating the
/// payload costs as little.
const LEAST_PAYLOAD: usize = 16;

/// Makes ETags. They are keyed, so that nobody can write a message that a device takes for the one it has; so they mean
/// nothing after a restart, when a device gets the payload once more.
#[derive(Default)]
pub(super) struct EntityTags(RandomState);

impl EntityTags {
    fn of(&self, response: &Message) -> Option<Vec<u8>> {
        if let Some(own) = response.option(option::ETAG) {
            return Some(own.to_vec());
        }
        let hash = self.0.hash_one((
            response.option(option::CONTENT_FORMAT),
            response.payload.as_slice(),
        ));
        (response.payload.len() >= LEAST_PAYLOAD).then(|| hash.to_be_bytes()[..4].to_vec())
    }
}

/// The conditions of a request.
pub(super) struct Conditions {
    /// Whether it asks for a representation and changes nothing (GET, FETCH); others have no conditions here.
    asks: bool,
    /// ETag: representations that the client has.
    has: Vec<Vec<u8>>,
    /// If-Match: one of these, or nothing.
    insists: Vec<Vec<u8>>,
    /// Accept is problem details, which only an error can be.
    only_problems: bool,
}

impl Conditions {
    pub(super) fn of(request: &Message) -> Self {
        let values = |number| request.options(number).map(<[u8]>::to_vec).collect();
        let accept = request.uint_option(option::ACCEPT);
        Self {
            asks: code::is_safe(request.code),
            has: values(option::ETAG),
            insists: values(option::IF_MATCH),
            only_problems: accept == Some(PROBLEM_DETAILS.into()),
        }
    }

    /// The response under these conditions: itself with an ETag, 2.03 where the client has it, 4.12 where it wanted another
    /// one, 4.06 where it wanted another format.
    pub(super) fn apply(&self, tags: &EntityTags, mut response: Message) -> Message {
        if !self.asks || code::class(response.code) != 2 {
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
        // The empty If-Match asks only that the resource exists.
        let is_met = |wanted: &Vec<u8>| wanted.is_empty() || tag.as_ref() == Some(wanted);
        if !self.insists.is_empty() && !self.insists.iter().any(is_met) {
            return GatewayError::Precondition.response();
        }
        let Some(tag) = tag else {
            return response;
        };
        if self.has.contains(&tag) {
            return valid(tag, &response);
        }
        response.set_option(option::ETAG, tag);
        response
    }
}

/// 2.03: what the client has is still right, for another Max-Age.
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
        let nothing = Conditions::of(&Message::new(code::GET));
        let answer = nothing.apply(tags, content(body));
        assert_eq!(answer.payload, body.as_bytes());
        answer.option(option::ETAG).expect("an ETag").to_vec()
    }

    #[test]
    fn who_has_the_representation_gets_2_03_without_it() {
        let tags = EntityTags::default();
        let tag = tag(&tags, BODY);
        let answer = get(option::ETAG, &tag).apply(&tags, content(BODY));
        let expected = Message::new(code::VALID)
            .with_option(option::ETAG, tag.clone())
            .with_uint_option(option::MAX_AGE, 7);
        assert_eq!(answer, expected);
        let answer = get(option::ETAG, &tag).apply(&tags, content("another payload, with an ETag"));
        assert_eq!(answer.code, code::CONTENT);
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
    fn who_insists_on_another_representation_gets_4_12() {
        let tags = EntityTags::default();
        let tag = tag(&tags, BODY);
        let insisting = |tag: &[u8]| get(option::IF_MATCH, tag).apply(&tags, content(BODY)).code;
        assert_eq!(insisting(&tag), code::CONTENT);
        assert_eq!(insisting(b""), code::CONTENT);
        assert_eq!(insisting(b"another"), code::PRECONDITION_FAILED);
    }

    #[test]
    fn short_payloads_and_rules_with_etags_of_their_own_get_none() {
        let tags = EntityTags::default();
        let nothing = Conditions::of(&Message::new(code::GET));
        assert_eq!(
            nothing.apply(&tags, content("1790000000")),
            content("1790000000")
        );
        let own = content(BODY).with_option(option::ETAG, "v1");
        assert_eq!(nothing.apply(&tags, own.clone()), own);
        assert_eq!(get(option::ETAG, b"v1").apply(&tags, own).code, code::VALID);
    }

    #[test]
    fn what_changes_something_has_no_conditions() {
        let tags = EntityTags::default();
        let put = Conditions::of(&Message::new(code::PUT).with_uint_option(option::ACCEPT, 257));
        assert_eq!(put.apply(&tags, content(BODY)), content(BODY));
    }

    #[test]
    fn who_accepts_problems_only_is_told_that_there_is_none() {
        let tags = EntityTags::default();
        let asks = Conditions::of(&Message::new(code::GET).with_uint_option(option::ACCEPT, 257));
        assert_eq!(asks.apply(&tags, content(BODY)).code, code::NOT_ACCEPTABLE);
        let error = Message::diagnostic(code::NOT_FOUND, "nothing");
        assert_eq!(asks.apply(&tags, error.clone()), error);
    }
}
