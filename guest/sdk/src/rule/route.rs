//! What devices can ask a rule for.

use super::call::{Outcome, Resume};
use super::latest::CALLS;
use super::pattern::segments;
use super::request::Request;
use super::topic::Meaning;
use crate::bindings::Link;
use crate::code;

/// Content-Format 60, `application/cbor`.
pub const CBOR: u16 = 60;
/// Content-Format 50, `application/json`.
pub const JSON: u16 = 50;

/// Answers a request, or says which call must be made before.
pub type Handler = fn(&Request<'_>) -> Outcome;

/// A resource: method, path and handler. Several routes may have one path, with different methods.
#[derive(Debug)]
pub struct Route {
    method: u8,
    pub(super) path: &'static str,
    pub(super) handler: Handler,
    accepts: &'static [u16],
    produces: &'static [u16],
    observable: bool,
    pub(super) watch: Option<Meaning>,
    attributes: &'static [(&'static str, &'static str)],
    calls: &'static [&'static dyn Resume],
    /// What watching takes. Named only by a route that is watched, so that no other rule carries it.
    watching: &'static [&'static dyn Resume],
}

impl Route {
    /// GET. Takes no payload; answers CBOR, or JSON where Accept asks for it.
    pub const fn get(path: &'static str, handler: Handler) -> Route {
        Route::new(code::GET, path, handler).accepts(&[])
    }

    /// POST. Takes CBOR or JSON, and answers in either.
    pub const fn post(path: &'static str, handler: Handler) -> Route {
        Route::new(code::POST, path, handler)
    }

    /// PUT. Takes CBOR or JSON, and answers in either.
    pub const fn put(path: &'static str, handler: Handler) -> Route {
        Route::new(code::PUT, path, handler)
    }

    /// DELETE. Takes no payload; answers CBOR, or JSON where Accept asks for it.
    pub const fn delete(path: &'static str, handler: Handler) -> Route {
        Route::new(code::DELETE, path, handler).accepts(&[])
    }

    /// Any method, by its code ([`code`]). `path` is relative to where the rule is mounted; `{name}` stands for one segment
    /// ([`Exchange::capture`](super::Exchange::capture)), `*` as the last segment for all that remain, and the empty path
    /// for the mount itself. Takes CBOR or JSON, and answers in either.
    pub const fn new(method: u8, path: &'static str, handler: Handler) -> Route {
        Route {
            method,
            path,
            handler,
            accepts: &[CBOR, JSON],
            produces: &[CBOR, JSON],
            observable: false,
            watch: None,
            attributes: &[],
            calls: &[],
            watching: &[],
        }
    }

    /// Content-Formats of the request's payload; the gateway answers others with 4.15. None: payloads are not looked at.
    pub const fn accepts(self, accepts: &'static [u16]) -> Route {
        Route { accepts, ..self }
    }

    /// Content-Formats of the answer, the default first; the gateway answers an Accept of others with 4.06. None: the
    /// answer has no payload.
    pub const fn produces(self, produces: &'static [u16]) -> Route {
        Route { produces, ..self }
    }

    /// Lets devices observe (RFC 7641) what the text messages of the route's `{room}` mean to them: `meaning` says it for one, or that
    /// it means nothing. The handler answers with [`Request::latest`], and the rule is exported with its observer:
    /// `export!(RULE, observer)`.
    ///
    /// `meaning` is asked for each message and each topic that is observed in its room. A value that takes more than 16 KiB ends the
    /// observation with 5.03; the device begins anew and gets it whole.
    pub const fn watch(self, meaning: Meaning) -> Route {
        Route {
            watch: Some(meaning),
            watching: &CALLS,
            ..self.observable()
        }
    }

    /// Marks the resource as one that changes by itself, for a rule that makes its watches by itself.
    pub const fn observable(self) -> Route {
        Route {
            observable: true,
            ..self
        }
    }

    /// Target attributes for discovery (RFC 6690 §3), such as `("title", "Last command")`. Links with captures are not listed.
    pub const fn attributes(self, attributes: &'static [(&'static str, &'static str)]) -> Route {
        Route { attributes, ..self }
    }

    /// All calls that the handler and what follows may make: statics of type [`Call`](super::Call). The operator is asked to
    /// grant them; others are not made.
    pub const fn calls(self, calls: &'static [&'static dyn Resume]) -> Route {
        Route { calls, ..self }
    }

    /// Those, and what watching takes.
    pub(super) fn all_calls(&self) -> impl Iterator<Item = &'static dyn Resume> {
        self.calls.iter().chain(self.watching).copied()
    }

    pub(super) fn link(&self) -> Link {
        let attribute = |(name, value): &(&str, &str)| {
            let value = (!value.is_empty()).then(|| (*value).to_owned());
            ((*name).to_owned(), value)
        };
        Link {
            path: segments(self.path).collect(),
            methods: vec![self.method],
            accepts: self.accepts.to_vec(),
            produces: self.produces.to_vec(),
            observable: self.observable,
            attributes: self.attributes.iter().map(attribute).collect(),
        }
    }
}
