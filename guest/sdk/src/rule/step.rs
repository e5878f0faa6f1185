//! From a call of a rule to the contract's step, and back. Where `{room}` is an alias, its id is asked for first
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3directoryroomroomalias>) and the rest of the
//! call waits in the state.

use super::call::{PendingCall, PendingDelivery, Resume};
use super::path::fill;
use super::route::Route;
use super::shape::Shape;
use super::state::{self, MAX_STATE, damaged, too_large};
use crate::bindings::{Context, Delivery, Effect, HttpRequest, HttpResponse, Step};
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
    /// The route whose exchange it is.
    pub(super) route: &'static Route,
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

/// The rest of a call that waits for its room: the values of its `{…}`, its query as names and values in turn, its
/// body, and the transaction and the lane if it is a delivery.
pub(super) struct Deferred {
    arguments: Vec<Value>,
    query: Vec<Value>,
    body: Value,
    transaction: Value,
    lane: Value,
}

impl PendingCall {
    /// The effect that makes the call, or the lookup before it.
    pub(super) fn effect(
        self,
        route: &'static Route,
        context: &Context,
        format: Format,
    ) -> Result<Effect, ErrorResponse> {
        let shape = self.call.shape();
        let mut calls = route.all_calls();
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
        if room.starts_with('#') {
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
            fields.push(optional(body));
            let (transaction, lane) = match self.delivery {
                Some(PendingDelivery { transaction, lane }) => (Some(transaction), lane),
                None => (None, None),
            };
            fields.push(optional(transaction));
            fields.push(optional(lane));
            return Ok(then(request, state::encode(fields)?));
        }
        fields.push(Value::Text(room.to_owned()));
        let Some(PendingDelivery { transaction, lane }) = self.delivery else {
            let request = request(shape, context, self.arguments, self.query, self.body)?;
            return Ok(then(request, state::encode(fields)?));
        };
        let lane = lane.unwrap_or_else(|| match room {
            "" => shape.path.to_owned(),
            room => room.to_owned(),
        });
        // Another revision of the rule may read it.
        fields.push(Value::Text(route.resource.path.to_owned()));
        fields.push(Value::Text(shape.path.to_owned()));
        Ok(Effect::Deliver(Delivery {
            lane,
            transaction,
            step: Step {
                request: request(shape, context, self.arguments, self.query, self.body)?,
                state: state::encode(fields)?,
            },
        }))
    }
}

fn optional(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::Text)
}

/// The text, if it is one.
fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn texts(texts: impl Iterator<Item = String>) -> Value {
    Value::Array(texts.map(Value::Text).collect())
}

fn strings(texts: Vec<Value>) -> impl Iterator<Item = String> {
    texts.into_iter().filter_map(text)
}

impl SavedCall {
    /// From the state of a step that [`PendingCall::effect`] has made: that of a call in the same revision of the rule,
    /// that of a delivery perhaps in another one, whose routes have other places.
    pub(super) fn decode(
        routes: &'static [Route],
        context: &Context,
        state: &[u8],
    ) -> Result<SavedCall, ErrorResponse> {
        let mut fields = state::decode(state)?.into_iter();
        let mut next = || fields.next().ok_or_else(damaged);
        let (format, index, state, made) = (next()?, next()?, next()?, next()?);
        let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
        let mut paths = None;
        let made = match made {
            Value::Text(room) => {
                if let (Ok(Value::Text(route)), Ok(Value::Text(call))) = (next(), next()) {
                    paths = Some((route, call));
                }
                Made::Call { room }
            }
            Value::Array(arguments) => match next()? {
                Value::Array(query) => Made::Lookup(Deferred {
                    arguments,
                    query,
                    body: next()?,
                    transaction: next()?,
                    lane: next()?,
                }),
                _ => return Err(damaged()),
            },
            _ => return Err(damaged()),
        };
        let found = index.and_then(|index| find(routes, context, index, paths));
        let (route, call) = found.ok_or_else(damaged)?;
        let format = format
            .as_u64()
            .and_then(|number| u32::try_from(number).ok());
        Ok(SavedCall {
            format: format.and_then(Format::from_number).ok_or_else(damaged)?,
            route,
            call,
            state,
            made,
        })
    }
}

/// The call of this index of the context's route; of a delivery, that of the route with this path, if the call has its
/// path too.
fn find(
    routes: &'static [Route],
    context: &Context,
    index: usize,
    paths: Option<(String, String)>,
) -> Option<(&'static Route, &'static dyn Resume)> {
    for (link, route) in routes.iter().enumerate() {
        let is_route = match &paths {
            Some((path, _)) => route.resource.path == path,
            None => link == usize::from(context.link),
        };
        if is_route && let Some(call) = route.all_calls().nth(index) {
            let shape = call.shape();
            let is_call = match &paths {
                Some((_, path)) => shape.delivers && shape.path == path,
                None => true,
            };
            if is_call {
                return Some((route, call));
            }
        }
    }
    None
}

/// The call that waited for its room, whose id `response` has.
pub(super) fn with_room(
    call: &'static dyn Resume,
    state: Value,
    deferred: Deferred,
    response: &HttpResponse,
) -> Result<Box<PendingCall>, ErrorResponse> {
    let mut arguments: Vec<String> = strings(deferred.arguments).collect();
    let room = call.shape().room;
    let room = room.and_then(|place| arguments.get_mut(place));
    let room = room.ok_or_else(damaged)?;
    *room = looked_up(response)?;
    let mut texts = strings(deferred.query);
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        pairs.push((name, value));
    }
    let lane = text(deferred.lane);
    let delivery = text(deferred.transaction);
    let delivery = delivery.map(|transaction| PendingDelivery { transaction, lane });
    Ok(Box::new(PendingCall {
        call,
        state,
        arguments,
        query: pairs,
        body: text(deferred.body).map(String::into_bytes),
        delivery,
    }))
}

/// The request of a call with this shape.
pub(super) fn request(
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
