//! The contract's `feeds`, and its `poll` and `polled` for routes with a feed.

use super::exchange::Exchange;
use super::feed::{AnyFeed, FeedRequest};
use super::homeserver_response::HomeserverResponse;
use super::state::{self, damaged};
use super::step;
use super::table::Rule;
use crate::bindings::{Context, Failure, FeedProgress, HttpRequest, HttpResponse};
use crate::error_response::ErrorResponse;
use crate::fields::notification_format;
use crate::homeserver_error::{Repetition, check_status};
use crate::settings::Settings;
use crate::value::Value;

impl Rule {
    /// The contract's `feeds`.
    pub fn feeds(&self) -> Vec<u16> {
        let routes = (0..).zip(self.routes);
        let feeding = routes.filter(|(_, route)| route.feed.is_some());
        feeding.map(|(link, _)| link).collect()
    }

    /// The contract's `feed.poll`.
    pub fn feed_poll(
        &self,
        settings: &dyn Settings,
        context: &Context,
        state: &[u8],
    ) -> Result<HttpRequest, Failure> {
        let poll = || {
            let (feed, exchange) = self.feed(settings, context)?;
            let FeedRequest { arguments, query } = feed.ask(&exchange, position(state)?)?;
            step::request(feed.shape(), context, arguments, query, None)
        };
        poll().map_err(ErrorResponse::into_failure)
    }

    /// The contract's `feed.polled`.
    pub fn feed_polled(
        &self,
        settings: &dyn Settings,
        context: &Context,
        state: &[u8],
        response: &HttpResponse,
    ) -> Result<FeedProgress, Failure> {
        let polled = || {
            let (feed, exchange) = self.feed(settings, context)?;
            let format = notification_format(context);
            check_status(format, || Repetition::Harmless, response)?;
            let response =
                HomeserverResponse::new(&exchange, format, "", response, Repetition::Harmless);
            let (state, reply) = feed.read(&response, position(state)?)?;
            Ok(FeedProgress {
                state: state::encode(vec![state])?,
                message: reply.map(|reply| reply.message(format)),
            })
        };
        polled().map_err(ErrorResponse::into_failure)
    }

    fn feed<'a>(
        &self,
        settings: &'a dyn Settings,
        context: &'a Context,
    ) -> Result<(&'static dyn AnyFeed, Exchange<'a>), ErrorResponse> {
        let route = self.route(context)?;
        let feed = route.feed;
        let feed = feed.ok_or_else(|| ErrorResponse::internal("the rule's route has no feed"))?;
        Ok((feed, Exchange::new(settings, context, &route.resource)?))
    }
}

/// The position in the state of a feed.
fn position(state: &[u8]) -> Result<Value, ErrorResponse> {
    let mut fields = state::decode(state)?;
    match (fields.pop(), fields.is_empty()) {
        (Some(position), true) => Ok(position),
        _ => Err(damaged()),
    }
}
