//! From a call that a rule wants made to the contract's step, and back. Where `{room}` is an alias, its id is asked for
//! first (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3directoryroomroomalias>) and the call waits in
//! the state.

use super::call::{Destination, Pending, Resume, Shape};
use super::kept::Keep;
use super::pattern::{filled, place};
use super::route::Route;
use crate::bindings::{Context, Effect, HttpRequest, HttpResponse, Upstream};
use crate::call::{call, then};
use crate::payload::Format;
use crate::refusal::Refusal;
use crate::room::looked_up;
use crate::state::{damaged, remember};
use crate::value::Value;

/// Where rooms are looked up.
pub(super) const DIRECTORY: &str = "_matrix/client/v3/directory/room/{alias}";

/// The call that a state belongs to.
pub(super) struct Recalled {
    pub(super) call: &'static dyn Resume,
    /// What the call's `{…}` were filled with.
    pub(super) arguments: Vec<String>,
}

/// A call that waits for a room's id.
pub(super) struct Waiting {
    query: Vec<(String, String)>,
    body: Option<String>,
}

type Fields = (
    u64,
    Value,
    Vec<String>,
    Option<(Vec<(String, String)>, Option<String>)>,
);

impl Pending {
    /// The step that makes the call, or the one before it.
    pub(super) fn effect(
        self,
        route: &Route,
        context: &Context,
        format: Format,
    ) -> Result<Effect, Refusal> {
        let shape = self.call.shape();
        let index = route
            .all_calls()
            .position(|call| std::ptr::addr_eq(call, self.call));
        let index = index.ok_or_else(|| {
            Refusal::internal(format!(
                "the rule's route \"{}\" must list its call {:?}, which must be a static",
                route.path, self.call
            ))
        })?;
        if context.requested.is_some() && shape.destination != Destination::Requested {
            return Err(Refusal::bad_request(
                "Proxy-Uri: this resource has a homeserver of its own; leave the option out",
            ));
        }
        let place = place(shape.path, "room");
        let alias = place.and_then(|place| self.arguments.get(place));
        let alias = alias.filter(|room| room.starts_with('#'));
        let (request, waiting) = match alias {
            Some(alias) => {
                let path = ["directory", "room", alias];
                let lookup = call(context, shape.credential, "GET", &path, None);
                (
                    shape.directed(context, lookup),
                    Some((self.query, self.body)),
                )
            }
            None => (
                request(shape, context, &self.arguments, self.query, self.body)?,
                None,
            ),
        };
        let fields: Fields = (index as u64, self.kept, self.arguments, waiting);
        let Value::Array(fields) = fields.value() else {
            return Err(damaged());
        };
        let remedy =
            "too much to keep for the homeserver's answer; send less, or name the room by its id";
        Ok(then(request, remember(format, fields, remedy)?))
    }
}

impl Recalled {
    /// The call, what was kept for it and, if not the call but the lookup before it was answered, the rest of the call.
    pub(super) fn from(
        route: &Route,
        fields: Vec<Value>,
    ) -> Result<(Recalled, Value, Option<Waiting>), Refusal> {
        let (index, kept, arguments, waiting) =
            Fields::restore(Value::Array(fields)).ok_or_else(damaged)?;
        let call = usize::try_from(index)
            .ok()
            .and_then(|index| route.all_calls().nth(index));
        let recalled = Recalled {
            call: call.ok_or_else(damaged)?,
            arguments,
        };
        let waiting = waiting.map(|(query, body)| Waiting { query, body });
        Ok((recalled, kept, waiting))
    }

    pub(super) fn takes_any_status(&self) -> bool {
        self.call.shape().any_status
    }
}

impl Waiting {
    /// The call with the room's id, which `answer` tells, in the place of its alias.
    pub(super) fn with_room(
        self,
        mut recalled: Recalled,
        kept: Value,
        answer: &HttpResponse,
    ) -> Result<Pending, Refusal> {
        let id = looked_up(answer)?;
        // Another alias would be looked up without end.
        if !id.starts_with('!') {
            return Err(Refusal::bad_gateway(
                "the homeserver's answer: field room_id: no id of a room",
            ));
        }
        let place = place(recalled.call.shape().path, "room");
        let room = place.and_then(|place| recalled.arguments.get_mut(place));
        *room.ok_or_else(damaged)? = id;
        Ok(Pending {
            call: recalled.call,
            kept,
            arguments: recalled.arguments,
            query: self.query,
            body: self.body,
        })
    }
}

impl Shape {
    /// The request, to where the call goes.
    fn directed(&self, context: &Context, request: HttpRequest) -> HttpRequest {
        let upstream = match self.destination {
            Destination::Named(name) => Upstream::Named(name.to_owned()),
            Destination::Requested if context.requested.is_some() => Upstream::Requested,
            Destination::Standard | Destination::Requested => Upstream::Standard,
        };
        HttpRequest {
            upstream,
            hold_ms: 0,
            ..request
        }
    }
}

fn request(
    shape: &Shape,
    context: &Context,
    arguments: &[String],
    query: Vec<(String, String)>,
    body: Option<String>,
) -> Result<HttpRequest, Refusal> {
    let path = filled(shape.path, arguments).ok_or_else(|| {
        Refusal::internal(format!(
            "the rule fills {} with {} segments",
            shape.path,
            arguments.len()
        ))
    })?;
    let root = shape.root().iter().map(|segment| (*segment).to_owned());
    let request = call(
        context,
        shape.credential,
        shape.method,
        &[],
        body.map(String::into_bytes),
    );
    Ok(HttpRequest {
        path: root.chain(path).collect(),
        query,
        hold_ms: shape.hold_ms,
        ..shape.directed(context, request)
    })
}
