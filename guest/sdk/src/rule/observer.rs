//! The contract's `poll`, `polled` and `notify` for routes with a watch.

use super::table::Rule;
use super::topic::Topic;
use crate::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};
use crate::code;
use crate::error_response::ErrorResponse;
use crate::fields::notification_format;
use crate::message::response;
use crate::settings::Settings;
use crate::text_message::TextMessage;
use crate::watch::{self, Changes, Position};

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
        let mut each = |changes: &mut Changes, room: &str, message: Option<TextMessage<'_>>| {
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
                    match (&message, watch.parse(route.resource.path, text)) {
                        (Some(message), Some(topic)) => {
                            if let Some(payload) = watch.change(&topic, message) {
                                changes.push(text, payload);
                            }
                        }
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
        let value = value.ok_or_else(|| {
            ErrorResponse::internal("the gateway handed back a change that the rule did not make")
                .into_failure()
        })?;
        let payload = format.encode(&value);
        Ok(response(
            code::CONTENT,
            Some(format.number()),
            None,
            payload,
        ))
    }
}
