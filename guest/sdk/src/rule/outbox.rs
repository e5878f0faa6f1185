//! The contract's `accepted`, for every rule.

use super::reply::Reply;
use super::table::Rule;
use crate::bindings::{Context, Failure, Message};
use crate::error_response::ErrorResponse;
use crate::fields::notification_format;
use crate::payload::Format;
use crate::value::Value;

/// The member with the id of a stored delivery.
const QUEUED: &str = "queued";

impl Rule {
    /// The contract's `accepted`: 2.04 with `{"queued"}` in the format that the device accepts, as text with the id
    /// alone, or without a payload if the route has none.
    pub fn accepted(&self, context: &Context, id: &str) -> Result<Message, Failure> {
        let route = self.route(context).map_err(ErrorResponse::into_failure)?;
        let format = notification_format(context);
        let reply = match (route.has_payloads(), format) {
            (true, Format::Text) => Reply::changed(id.into()),
            (true, _) => Reply::changed(Value::texts([(QUEUED, id)])),
            (false, _) => Reply::empty(crate::code::CHANGED),
        };
        Ok(reply.message(format))
    }
}
