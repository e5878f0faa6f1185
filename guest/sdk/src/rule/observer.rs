//! The contract's `poll`, `polled` and `notify` for routes with a watch.

use super::table::Rule;
use super::topic::Topic;
use crate::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};
use crate::code;
use crate::error_response::ErrorResponse;
use crate::fields::notification_format;
use crate::message::response;
use crate::settings::Settings;
use crate::value::Value;
use crate::watch::{self, Changes, Found, Position};

/// The fact of `types.context` with the number of changes that a device does not get before this one, and the name of
/// that number in a notification.
const MISSED: &str = "missed";

impl Rule {
    /// The contract's `poll`.
    pub fn poll(&self, state: &[u8], topics: &[String]) -> Result<HttpRequest, Failure> {
        let position = Position::decode(state).map_err(ErrorResponse::into_failure)?;
        let rooms = topics.iter().map(|topic| Topic::room_of(topic));
        Ok(watch::poll(&position, &rooms.collect::<Vec<_>>()))
    }

    /// The contract's `polled`.
    pub fn polled(
        &self,
        settings: &dyn Settings,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Result<Progress, Failure> {
        let mut each = |changes: &mut Changes, room: &str, found: Found<'_>| {
            let mut is_shared_done = false;
            for (link, route) in self.routes.iter().enumerate() {
                let Some(watch) = route.resource.watch else {
                    continue;
                };
                if watch.is_shared() {
                    if is_shared_done {
                        continue;
                    }
                    is_shared_done = true;
                }
                for text in watch.concerned(link, room, topics) {
                    match (&found, watch.parse(route.resource.path, text)) {
                        (Found::Message(message), Some(topic)) => {
                            if let Some(payload) = watch.change(&topic, message) {
                                changes.push(text, payload);
                            }
                        }
                        (Found::Gap, Some(_)) => changes.miss(text),
                        _ => changes.lose(text),
                    }
                }
            }
        };
        Position::decode(state)
            .and_then(|position| watch::polled(position, response, &mut each))
            .map_err(|error| {
                // The gateway polls again after a 4.29 or an error of class 5.
                let ends = error.code >> 5 == 4 && error.code != code::TOO_MANY_REQUESTS;
                match ends {
                    true => self.changed(settings, error).into_failure(),
                    false => error.into_failure(),
                }
            })
    }

    /// The contract's `notify`.
    pub fn notify(&self, context: &Context, change: &Change) -> Result<Message, Failure> {
        let route = self.route(context).ok();
        let watch = route.and_then(|route| route.resource.watch);
        let format = notification_format(context);
        let value = watch.and_then(|watch| watch.value(&change.payload, format));
        let mut value = value.ok_or_else(|| {
            ErrorResponse::internal("the gateway handed back a change that the rule did not make")
                .into_failure()
        })?;
        if let (Value::Map(pairs), Some(missed)) = (&mut value, missed(context)) {
            pairs.push((MISSED.to_owned(), Value::Unsigned(missed)));
        }
        let payload = format.encode(&value);
        Ok(response(
            code::CONTENT,
            Some(format.number()),
            None,
            payload,
        ))
    }
}

/// How many changes the device has missed before this one.
fn missed(context: &Context) -> Option<u64> {
    let mut facts = context.facts.iter();
    let (_, count) = facts.find(|(name, _)| name == MISSED)?;
    count.parse().ok()
}
