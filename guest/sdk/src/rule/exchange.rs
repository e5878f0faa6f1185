//! What a handler may know about the exchange that it is part of.

use super::call::Next;
use super::pattern::place;
use super::route::Route;
use crate::bindings::{Context, Effect};
use crate::payload::Format;
use crate::refusal::Refusal;
use crate::room::{self, Room};
use crate::settings::Settings;

/// One exchange of a device with the gateway. [`Request`](super::Request) and [`Answer`](super::Answer) lead here.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    settings: &'a dyn Settings,
    pub(super) context: &'a Context,
    pub(super) route: &'static Route,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        settings: &'a dyn Settings,
        context: &'a Context,
        route: &'static Route,
    ) -> Exchange<'a> {
        Exchange {
            settings,
            context,
            route,
        }
    }

    /// What the route's `{name}` matched; empty if it has none of that name.
    pub fn capture(&self, name: &str) -> &'a str {
        let place = place(self.route.path, name);
        let capture = place.and_then(|place| self.context.captures.get(place));
        capture.map_or("", String::as_str)
    }

    /// All that the route's `{…}` and `*` matched, in order.
    pub fn captures(&self) -> &'a [String] {
        &self.context.captures
    }

    /// The room that the route's `{room}` matched: an id or an alias, or the one that the operator has given this name
    /// (setting `room.<name>`). Anything else is 4.00.
    pub fn room(&self) -> Result<String, Refusal> {
        match room::resolve(self.settings, self.capture("room"))? {
            Room::Id(text) | Room::Alias(text) => Ok(text),
        }
    }

    /// What the operator has set.
    pub fn setting(&self, key: &str) -> Option<&'a str> {
        self.settings.get(key)
    }

    /// 32 hexadecimal digits, the same for all retransmissions of the request: fit for a Matrix transaction id.
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

    pub(super) fn effect(&self, format: Format, next: Next) -> Result<Effect, Refusal> {
        match next {
            Next::Reply(reply) => Ok(reply.effect(format)),
            Next::Call(pending) => pending.effect(self.route, self.context, format),
        }
    }
}

impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the settings: they may hold what is not for a log.
        formatter
            .debug_struct("Exchange")
            .field("context", self.context)
            .field("route", self.route)
            .finish_non_exhaustive()
    }
}
