//! The resources of a rule.

use super::call::{Outcome, Resume};
use super::exchange::Resource;
use super::feed::AnyFeed;
use super::latest::CALLS;
use super::path::segments;
use super::request::Request;
use super::watch::Watch;
use crate::bindings::{Context, Link};
use crate::code;
use crate::error_response::ErrorResponse;
use crate::text::{concat, decimal};

/// Content-Format 60, `application/cbor`.
pub const CBOR: u16 = 60;
/// Content-Format 50, `application/json`.
pub const JSON: u16 = 50;
/// Content-Format 0, `text/plain`.
pub const TEXT: u16 = crate::payload::TEXT_PLAIN;

/// Handles a request: makes a reply, or the call that must come before it.
pub type Handler = fn(&Request<'_>) -> Outcome;

/// A resource: method, path and handler. Several routes may have one path, with different methods.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    method: u8,
    pub(super) resource: Resource,
    pub(super) handler: Handler,
    accepts: &'static [u16],
    produces: &'static [u16],
    observable: bool,
    pub(super) feed: Option<&'static dyn AnyFeed>,
    pub(super) needs_token: bool,
    attributes: &'static [(&'static str, &'static str)],
    calls: &'static [&'static dyn Resume],
    /// The calls of a watch. Only a watched route names them, so that no other rule carries them.
    watch_calls: &'static [&'static dyn Resume],
}

impl Route {
    /// The one of these routes whose exchange has this context.
    pub(super) fn of(
        routes: &'static [Route],
        context: &Context,
    ) -> Result<&'static Route, ErrorResponse> {
        routes.get(usize::from(context.link)).ok_or_else(|| {
            ErrorResponse::internal(concat(&["the rule has no link ", &decimal(context.link)]))
        })
    }

    /// GET. Takes no payload; replies in CBOR, or in JSON where Accept asks for it.
    pub const fn get(path: &'static str, handler: Handler) -> Route {
        Route::new(code::GET, path, handler).accepts(&[])
    }

    /// POST. Takes CBOR or JSON, and replies in either.
    pub const fn post(path: &'static str, handler: Handler) -> Route {
        Route::new(code::POST, path, handler)
    }

    /// PUT. Takes CBOR or JSON, and replies in either.
    pub const fn put(path: &'static str, handler: Handler) -> Route {
        Route::new(code::PUT, path, handler)
    }

    /// DELETE. Takes no payload; replies in CBOR, or in JSON where Accept asks for it.
    pub const fn delete(path: &'static str, handler: Handler) -> Route {
        Route::new(code::DELETE, path, handler).accepts(&[])
    }

    /// Any method, by its code ([`code`]). `path` is relative to the rule's mount; `{name}` stands for one segment
    /// ([`Exchange::capture`](super::Exchange::capture)), `*` as the last segment for all that remain, and the empty
    /// path for the mount itself. Takes CBOR or JSON, and replies in either.
    pub const fn new(method: u8, path: &'static str, handler: Handler) -> Route {
        Route {
            method,
            resource: Resource {
                path,
                proxy_uri: &[],
                watch: None,
            },
            handler,
            accepts: &[CBOR, JSON],
            produces: &[CBOR, JSON],
            observable: false,
            feed: None,
            needs_token: false,
            attributes: &[],
            calls: &[],
            watch_calls: &[],
        }
    }

    /// The same resource at another path.
    pub const fn at(mut self, path: &'static str) -> Route {
        self.resource.path = path;
        self
    }

    /// Content-Formats of the request's payload; the gateway refuses others with 4.15. A request without Content-Format
    /// reaches the handler. None: the payload's format is not checked.
    pub const fn accepts(self, accepts: &'static [u16]) -> Route {
        Route { accepts, ..self }
    }

    /// Content-Formats of the response, the default first; the gateway refuses an Accept of others with 4.06. None: the
    /// response has no payload.
    pub const fn produces(self, produces: &'static [u16]) -> Route {
        Route { produces, ..self }
    }

    /// Lets devices name a homeserver and a request to it by Proxy-Uri: the calls then go to that homeserver.
    /// Its path must have one of these forms; without this method a Proxy-Uri is refused with 4.00.
    ///
    /// A form is below `/_matrix/client/v3` (`r0` and `v1` too), or from the root if it begins with a slash. Its
    /// `{name}` are captures like those of the route's path; where both have a name, the segments must be the same.
    /// `/*` takes every path.
    ///
    /// If the rule is exported with `proxy`, a form also leads to the route without a Uri-Path, unless the route's path
    /// has captures. Of several routes whose forms match, the first is taken.
    pub const fn proxy_uri(mut self, forms: &'static [&'static str]) -> Route {
        self.resource.proxy_uri = forms;
        self
    }

    /// Lets devices observe (RFC 7641) the text messages of the room in the capture `{room}`, all
    /// ([`AllMessages`](super::AllMessages)) or some ([`SelectedMessages`](super::SelectedMessages)). The handler
    /// replies with [`Request::latest`](super::Request::latest), and the rule is exported with its observer:
    /// `export!(RULE, observer)`.
    pub const fn watch(mut self, watch: &'static dyn Watch) -> Route {
        self.resource.watch = Some(watch);
        self.watch_calls = &CALLS;
        self.observable()
    }

    /// Lets devices observe (RFC 7641) what they have not got yet: each observation is a [`Feed`](super::Feed) with a
    /// position of its own. The handler begins it with [`Feed::begin`](super::Feed::begin), and the rule is exported
    /// with `feed`: `export!(RULE, feed)`.
    pub const fn feed(mut self, feed: &'static dyn AnyFeed) -> Route {
        self.feed = Some(feed);
        self.observable()
    }

    /// Marks the resource as one that changes by itself, for a rule that makes its watches by itself.
    pub const fn observable(mut self) -> Route {
        self.observable = true;
        self
    }

    /// Says that no request has success without an access token for its homeserver. If the rule is exported with
    /// `rights`, the gateway refuses a request without one before its device has sent the body.
    pub const fn needs_token(mut self) -> Route {
        self.needs_token = true;
        self
    }

    /// Target attributes for discovery (RFC 6690 §3), such as `("title", "Last command")`. Links with captures are
    /// not listed.
    pub const fn attributes(self, attributes: &'static [(&'static str, &'static str)]) -> Route {
        Route { attributes, ..self }
    }

    /// All calls that the handler, and the functions after it, may make: statics of type [`Call`](super::Call). The
    /// operator is asked to grant them; others are not made.
    pub const fn calls(self, calls: &'static [&'static dyn Resume]) -> Route {
        Route { calls, ..self }
    }

    /// Those, and the watch's.
    pub(super) fn all_calls(&self) -> impl Iterator<Item = &'static dyn Resume> {
        self.calls.iter().chain(self.watch_calls).copied()
    }

    /// Whether its responses have payloads.
    pub(super) fn has_payloads(&self) -> bool {
        !self.produces.is_empty()
    }

    pub(super) fn link(&self) -> Link {
        let attribute = |(name, value): &(&str, &str)| {
            let value = (!value.is_empty()).then(|| (*value).to_owned());
            ((*name).to_owned(), value)
        };
        Link {
            path: segments(self.resource.path).collect(),
            methods: vec![self.method],
            accepts: self.accepts.to_vec(),
            produces: self.produces.to_vec(),
            observable: self.observable,
            attributes: self.attributes.iter().map(attribute).collect(),
        }
    }
}
