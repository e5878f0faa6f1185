//! The exchange that a handler is part of.

use super::path;
use super::proxy_uri::MatrixRequest;
use super::topic::Topic;
use super::watch::Watch;
use crate::bindings::Context;
use crate::error_response::ErrorResponse;
use crate::room::{self, Room};
use crate::settings::Settings;
use crate::text::concat;

/// The fact of `types.context` in which the gateway asks for a message (`feed.polled`).
const REFRESH: &str = "refresh";

/// The names of a route's resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource {
    pub(super) path: &'static str,
    /// Forms of Proxy-Uri's path.
    pub(super) proxy_uri: &'static [&'static str],
    pub(super) watch: Option<&'static dyn Watch>,
}

/// One exchange of a device with the gateway. [`Request`](super::Request) and
/// [`HomeserverResponse`](super::HomeserverResponse) lead here.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    settings: &'a dyn Settings,
    pub(super) context: &'a Context,
    pub(super) resource: &'static Resource,
    /// None without a Proxy-Uri.
    matrix_request: Option<MatrixRequest<'a>>,
}

impl<'a> Exchange<'a> {
    /// Fails if the Proxy-Uri has none of the route's forms.
    pub(super) fn new(
        settings: &'a dyn Settings,
        context: &'a Context,
        resource: &'static Resource,
    ) -> Result<Exchange<'a>, ErrorResponse> {
        let requested = context.requested.as_ref();
        let found = requested.map(|target| MatrixRequest::find(resource.proxy_uri, target));
        Ok(Exchange {
            settings,
            context,
            resource,
            matrix_request: found.transpose()?,
        })
    }

    /// Fails if Proxy-Uri and Uri-Path name different things.
    pub(super) fn check_agreement(&self) -> Result<(), ErrorResponse> {
        let Some(matrix_request) = &self.matrix_request else {
            return Ok(());
        };
        if self.context.captures.is_empty() {
            return Ok(());
        }
        for (name, segment) in matrix_request.captures() {
            let in_path = self.in_path(name);
            if in_path.is_some_and(|in_path| in_path != *segment) {
                return Err(ErrorResponse::bad_request(concat(&[
                    "leave one out: Uri-Path and Proxy-Uri have different ",
                    name,
                    "s",
                ])));
            }
        }
        Ok(())
    }

    fn in_path(&self, name: &str) -> Option<&'a str> {
        if self.context.captures.is_empty() {
            return None;
        }
        let place = path::place(self.resource.path, name)?;
        self.context.captures.get(place).map(String::as_str)
    }

    /// The segment that `{name}` matched, in the route's path or in its form of Proxy-Uri; empty if there is none.
    pub fn capture(&self, name: &str) -> &'a str {
        let in_proxy_uri = || self.matrix_request.as_ref()?.capture(name);
        self.in_path(name).or_else(in_proxy_uri).unwrap_or_default()
    }

    /// All segments that the `{…}` and `*` of the route's path matched, in order.
    pub fn captures(&self) -> &'a [String] {
        &self.context.captures
    }

    /// The form of [`Route::proxy_uri`](super::Route::proxy_uri) that the device's Proxy-Uri has; none without a
    /// Proxy-Uri.
    pub fn proxy_uri(&self) -> Option<&'static str> {
        self.matrix_request.map(|request| request.form)
    }

    /// The room in [`capture("room")`](Exchange::capture): an id or an alias, or the one that the operator has given
    /// this name (setting `room.<name>`). Anything else is 4.00.
    pub fn room(&self) -> Result<String, ErrorResponse> {
        match self.capture("room") {
            "" => Err(ErrorResponse::bad_request(
                "room: missing; send it in Uri-Path or in Proxy-Uri",
            )),
            name => match room::resolve(self.settings, name)? {
                Room::Id(text) | Room::Alias(text) => Ok(text),
            },
        }
    }

    /// The operator's setting.
    pub fn setting(&self, key: &str) -> Option<&'a str> {
        self.settings.get(key)
    }

    /// 32 hexadecimal digits, the same when the request's message comes again, and others for any other message: fit
    /// for a Matrix transaction id. Random for a GET.
    pub fn flow_id(&self) -> &'a str {
        &self.context.flow_id
    }

    /// Unix time in seconds; none while the gateway's clock is not set.
    pub fn now(&self) -> Option<u64> {
        self.context.now
    }

    /// The authenticated name of the device; none on an unsecured transport.
    pub fn principal(&self) -> Option<&'a str> {
        self.context.principal.as_deref()
    }

    /// In a function that reads a feed: whether the device has got nothing for so long that the gateway wants to know
    /// whether it is still there. The function then has a message for it, if only an empty one.
    pub fn is_refresh(&self) -> bool {
        self.context.facts.iter().any(|(name, _)| name == REFRESH)
    }

    /// The topic of this exchange, in which the room has this id.
    pub(super) fn topic(&self, room: &'a str) -> Topic<'a> {
        Topic::new(self.resource.path, &self.context.captures, room)
    }
}

impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the settings: they may hold secrets.
        formatter
            .debug_struct("Exchange")
            .field("context", self.context)
            .field("resource", self.resource)
            .finish_non_exhaustive()
    }
}
