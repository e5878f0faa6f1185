//! A rule as a table of routes: the contract's `describe`, `begin` and `resume`.

use super::call::Next;
use super::exchange::Exchange;
use super::homeserver_response::HomeserverResponse;
use super::proxy_uri::pattern;
use super::request::Request;
use super::route::Route;
use super::setting::{self, Setting};
use super::step::{Made, SavedCall, with_room};
use crate::bindings::{
    CallError, Context, Description, Effect, Failure, HttpResponse, KnownOption, Message,
};
use crate::error_response::ErrorResponse;
use crate::fields::accepted_format;
use crate::homeserver_error::{Repetition, success};
use crate::payload::Format;
use crate::settings::Settings;

/// The most links and the most needs of a description (`wit/translator.wit`).
const MAX_ENTRIES: usize = 64;

/// Changes an error response before a device gets it; see [`Rule::on_error`].
pub type OnError = fn(&dyn Settings, ErrorResponse) -> ErrorResponse;

/// A rule: put it into a `static` and name that in [`export!`](crate::export).
#[derive(Debug)]
pub struct Rule {
    pub(super) routes: &'static [Route],
    settings: &'static [Setting],
    known_options: &'static [KnownOption],
    on_error: Option<OnError>,
}

impl Rule {
    /// A rule with these routes and no settings but names of rooms.
    pub const fn new(routes: &'static [Route]) -> Rule {
        Rule {
            routes,
            settings: &[],
            known_options: &[],
            on_error: None,
        }
    }

    /// The settings that an operator may give. Any other, except names of rooms (`room.<name>`), keeps the rule from
    /// being activated, so that a mistyped one is noticed.
    pub const fn settings(self, settings: &'static [Setting]) -> Rule {
        Rule { settings, ..self }
    }

    /// CoAP options that the rule understands besides those of the gateway: critical ones, and those that the gateway
    /// remembers for a device ([`KnownOption`]). The rule is exported with `options`: `export!(RULE, options)`.
    pub const fn known_options(self, known_options: &'static [KnownOption]) -> Rule {
        Rule {
            known_options,
            ..self
        }
    }

    /// A function that changes each error response of the rule before a device gets it, such as to the codes of an
    /// older gateway. Errors that make the gateway poll again are not passed to it: no device gets them.
    pub const fn on_error(self, on_error: OnError) -> Rule {
        Rule {
            on_error: Some(on_error),
            ..self
        }
    }

    /// The contract's `describe`.
    pub fn describe(&self, settings: &dyn Settings) -> Result<Description, String> {
        setting::check(self.settings, settings)?;
        let mut needs = Vec::new();
        for route in self.routes {
            let is_proxied = !route.resource.proxy_uri.is_empty();
            for call in route.all_calls() {
                call.shape().add_needs(is_proxied, &mut needs);
            }
            if let Some(feed) = route.feed {
                feed.shape().add_needs(is_proxied, &mut needs);
            }
        }
        if self.routes.len() > MAX_ENTRIES || needs.len() > MAX_ENTRIES {
            let reason =
                "the rule has more than 64 routes or needs; its author must make two rules of it";
            return Err(reason.to_owned());
        }
        Ok(Description {
            links: self.routes.iter().map(Route::link).collect(),
            needs,
        })
    }

    /// The contract's `requested-paths`: those of the routes without captures, which need no Uri-Path.
    pub fn requested_paths(&self) -> Vec<(u16, String)> {
        let is_literal = |route: &Route| {
            let mut path = route.resource.path.bytes();
            !path.any(|byte| matches!(byte, b'{' | b'*'))
        };
        let routes = (0..).zip(self.routes);
        let routes = routes.filter(|(_, route)| is_literal(route));
        let paths = routes.flat_map(|(link, route)| {
            let forms = route.resource.proxy_uri.iter();
            forms.map(move |form| (link, pattern(form)))
        });
        paths.collect()
    }

    /// The contract's `needs-token`.
    pub fn needs_token(&self) -> Vec<u16> {
        let routes = (0..).zip(self.routes);
        let needing = routes.filter(|(_, route)| route.needs_token);
        needing.map(|(link, _)| link).collect()
    }

    /// The contract's `known-options`.
    pub fn known(&self) -> Vec<KnownOption> {
        self.known_options.to_vec()
    }

    /// The contract's `begin`.
    pub fn begin(
        &self,
        settings: &dyn Settings,
        context: &Context,
        message: &Message,
    ) -> Result<Effect, Failure> {
        let begin = || {
            let route = self.route(context)?;
            let exchange = Exchange::new(settings, context, &route.resource)?;
            exchange.check_agreement()?;
            let next = (route.handler)(&Request::new(&exchange, message))?;
            effect(route, context, accepted_format(message), next)
        };
        begin().or_else(|error| self.changed(settings, error).into_effect())
    }

    /// The contract's `resume`.
    pub fn resume(
        &self,
        settings: &dyn Settings,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        let resume = || {
            let SavedCall {
                format,
                route,
                call,
                state,
                made,
            } = SavedCall::decode(self.routes, context, state)?;
            let exchange = Exchange::new(settings, context, &route.resource)?;
            let any_status = call.shape().any_status && matches!(made, Made::Call { .. });
            let repetition = || match made {
                Made::Call { .. } => call.shape().repetition(),
                Made::Lookup(_) => Repetition::Harmless,
            };
            let response = match outcome {
                Ok(response) if any_status => response,
                outcome => success(context, format, repetition, outcome)?,
            };
            let next = match made {
                Made::Call { room } => {
                    let response = HomeserverResponse::new(
                        &exchange,
                        format,
                        &room,
                        &response,
                        call.shape().repetition(),
                    );
                    call.resume(&response, state)?
                }
                Made::Lookup(deferred) => Next::Call(with_room(call, state, deferred, &response)?),
            };
            effect(route, context, format, next)
        };
        resume().or_else(|error| self.changed(settings, error).into_effect())
    }

    pub(super) fn route(&self, context: &Context) -> Result<&'static Route, ErrorResponse> {
        Route::of(self.routes, context)
    }

    pub(super) fn changed(&self, settings: &dyn Settings, error: ErrorResponse) -> ErrorResponse {
        match self.on_error {
            Some(on_error) => on_error(settings, error),
            None => error,
        }
    }
}

fn effect(
    route: &'static Route,
    context: &Context,
    format: Format,
    next: Next,
) -> Result<Effect, ErrorResponse> {
    match next {
        Next::Reply(reply) => Ok(reply.effect(format)),
        Next::Call(pending) => pending.effect(route, context, format),
    }
}
