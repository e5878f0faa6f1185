//! From a call of a rule to the contract's step, and back. Where `{room}` is an alias, its id is asked for first
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3directoryroomroomalias>) and the rest of the
//! call waits in the state.

use super::call::{PendingCall, Resume};
use super::path::fill;
use super::shape::Shape;
use super::state::{self, MAX_STATE, damaged, too_large};
use crate::bindings::{Context, Effect, HttpRequest, HttpResponse};
use crate::call::{CLIENT_API, headers, then};
use crate::error_response::ErrorResponse;
use crate::payload::Format;
use crate::room::{looked_up, lookup};
use crate::text::concat;
use crate::value::Value;

/// Segments for which a path is made at once; the longest of the client-server API has six.
const MAX_SEGMENTS: usize = 6;

/// The call whose outcome is there.
pub(super) struct SavedCall {
    pub(super) format: Format,
    pub(super) call: &'static dyn Resume,
    pub(super) state: Value,
    pub(super) made: Made,
}

/// Which request was made of a call.
pub(super) enum Made {
    /// The call's own, with this room in its path; empty if the path has none.
    Call { room: String },
    /// The lookup of its room.
    Lookup(Deferred),
}

/// The rest of a call that waits for its room: the values of its `{…}`, its query as names and values in turn, and
/// its body.
type Deferred = (Vec<Value>, Vec<Value>, Value);

impl PendingCall {
    /// The step that makes the call, or the lookup before it. `calls` are all calls of the route.
    pub(super) fn effect(
        self,
        mut calls: impl Iterator<Item = &'static dyn Resume>,
        context: &Context,
        format: Format,
    ) -> Result<Effect, ErrorResponse> {
        let shape = self.call.shape();
        let index = calls.position(|call| std::ptr::addr_eq(call, self.call));
        let index = index.ok_or_else(|| {
            ErrorResponse::internal(concat(&[
                "the rule's route must list its call ",
                shape.method,
                " ",
                shape.path,
                ", which must be a static",
            ]))
        })?;
        let room = shape.room.and_then(|place| self.arguments.get(place));
        let room = room.map_or("", String::as_str);
        let mut fields = vec![
            Value::Unsigned(format.number().into()),
            Value::Unsigned(index as u64),
            self.state,
        ];
        let request = match room.starts_with('#') {
            true => {
                // Before it is copied: an instance has 2 MiB.
                if self
                    .body
                    .as_ref()
                    .is_some_and(|body| body.len() > MAX_STATE)
                {
                    return Err(too_large());
                }
                let request = HttpRequest {
                    upstream: shape.upstream(context),
                    credential: shape.credential.as_str().to_owned(),
                    ..lookup(context, room)
                };
                let query = self
                    .query
                    .into_iter()
                    .flat_map(|(name, value)| [name, value]);
                fields.push(texts(self.arguments.into_iter()));
                fields.push(texts(query));
                let body = self.body.and_then(|body| String::from_utf8(body).ok());
                fields.push(body.map_or(Value::Null, Value::Text));
                request
            }
            false => {
                fields.push(Value::Text(room.to_owned()));
                request(shape, context, self.arguments, self.query, self.body)?
            }
        };
        Ok(then(request, state::encode(fields)?))
    }
}

fn texts(texts: impl Iterator<Item = String>) -> Value {
    Value::Array(texts.map(Value::Text).collect())
}

fn strings(texts: Vec<Value>) -> impl Iterator<Item = String> {
    texts.into_iter().filter_map(|text| match text {
        Value::Text(text) => Some(text),
        _ => None,
    })
}

impl SavedCall {
    /// From the state of a step that [`PendingCall::effect`] has made with the same calls.
    pub(super) fn decode(
        mut calls: impl Iterator<Item = &'static dyn Resume>,
        state: &[u8],
    ) -> Result<SavedCall, ErrorResponse> {
        let mut fields = state::decode(state)?.into_iter();
        let mut next = || fields.next().ok_or_else(damaged);
        let (format, index, state, made) = (next()?, next()?, next()?, next()?);
        let made = match made {
            Value::Text(room) => Made::Call { room },
            Value::Array(arguments) => match (next()?, next()?) {
                (Value::Array(query), body) => Made::Lookup((arguments, query, body)),
                _ => return Err(damaged()),
            },
            _ => return Err(damaged()),
        };
        let format = format
            .as_u64()
            .and_then(|number| u32::try_from(number).ok());
        let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
        let call = index.and_then(|index| calls.nth(index));
        Ok(SavedCall {
            format: format.and_then(Format::from_number).ok_or_else(damaged)?,
            call: call.ok_or_else(damaged)?,
            state,
            made,
        })
    }
}

/// The call that waited for its room, whose id `response` has.
pub(super) fn with_room(
    call: &'static dyn Resume,
    state: Value,
    (arguments, query, body): Deferred,
    response: &HttpResponse,
) -> Result<Box<PendingCall>, ErrorResponse> {
    let mut arguments: Vec<String> = strings(arguments).collect();
    let room = call.shape().room;
    let room = room.and_then(|place| arguments.get_mut(place));
    let room = room.ok_or_else(damaged)?;
    *room = looked_up(response)?;
    let mut texts = strings(query);
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        pairs.push((name, value));
    }
    Ok(Box::new(PendingCall {
        call,
        state,
        arguments,
        query: pairs,
        body: match body {
            Value::Text(body) => Some(body.into_bytes()),
            _ => None,
        },
    }))
}

fn request(
    shape: &Shape,
    context: &Context,
    arguments: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
) -> Result<HttpRequest, ErrorResponse> {
    let mut path = Vec::with_capacity(CLIENT_API.len() + MAX_SEGMENTS);
    path.extend(shape.root().iter().map(|segment| (*segment).to_owned()));
    if !fill(shape.path, arguments, &mut path) {
        let error = [
            "the rule fills ",
            shape.path,
            " with another number of segments",
        ];
        return Err(ErrorResponse::internal(concat(&error)));
    }
    Ok(HttpRequest {
        upstream: shape.upstream(context),
        credential: shape.credential.as_str().to_owned(),
        method: shape.method.to_owned(),
        path,
        query,
        headers: headers(body.is_some()),
        body,
        hold_ms: shape.hold_ms,
    })
}
