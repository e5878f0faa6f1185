//! The contract's `poll`, `polled` and `notify` for routes that are watched.

use super::Rule;
use super::latest::payload;
use super::topic::Topic;
use crate::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};
use crate::fields::notification_format;
use crate::message::response;
use crate::refusal::Refusal;
use crate::text_message::TextMessage;
use crate::value::Value;
use crate::watch::{self, Changes, Position};
use crate::{cbor, code};

impl Rule {
    /// The contract's `poll`.
    pub fn poll(&self, state: &[u8], topics: &[String]) -> Result<HttpRequest, Failure> {
        let position = Position::recall(state).map_err(Refusal::into_failure)?;
        let rooms = topics.iter().filter_map(|topic| Topic::room_of(topic));
        Ok(watch::poll(&position, &rooms.collect::<Vec<_>>()))
    }

    /// The contract's `polled`.
    pub fn polled(
        &self,
        state: &[u8],
        topics: &[String],
        answer: &HttpResponse,
    ) -> Result<Progress, Failure> {
        let mut each = |changes: &mut Changes, room: &str, message: Option<TextMessage<'_>>| {
            for (link, route) in self.routes.iter().enumerate() {
                let Some(meaning) = route.watch else {
                    continue;
                };
                let prefix = Topic::prefix(link, room);
                let first = topics.partition_point(|topic| *topic < prefix);
                let topics = topics.iter().skip(first);
                for text in topics.take_while(|topic| topic.starts_with(&prefix)) {
                    let topic = Topic::parse(route, text);
                    match (&message, topic) {
                        (Some(message), Some(topic)) => {
                            if let Some(value) = meaning(&topic, message) {
                                changes.push(text, payload(message.event_id, value));
                            }
                        }
                        _ => changes.lose(text),
                    }
                }
            }
        };
        Position::recall(state)
            .and_then(|position| watch::polled(position, answer, &mut each))
            .map_err(Refusal::into_failure)
    }

    /// The contract's `notify`.
    pub fn notify(&self, context: &Context, change: &Change) -> Result<Message, Failure> {
        let is_watched = self.route(context).is_ok_and(|route| route.watch.is_some());
        if is_watched
            && let Ok(Value::Array(parts)) = cbor::decode(&change.payload)
            && let [Value::Text(_), value] = parts.as_slice()
        {
            let format = notification_format(context);
            let payload = format.encode(value);
            return Ok(response(
                code::CONTENT,
                Some(format.number()),
                None,
                payload,
            ));
        }
        let fault = "the gateway told a change that the rule did not make";
        Err(Refusal::internal(fault).into_failure())
    }
}
