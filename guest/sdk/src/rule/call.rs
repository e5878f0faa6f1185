//! Calls to the homeserver: a call's needs stand beside the function that continues with the response.

use std::fmt;
use std::marker::PhantomData;

use super::homeserver_response::HomeserverResponse;
use super::path::place_of_room;
use super::reply::Reply;
use super::shape::{Credential, Shape};
use super::state::{State, damaged};
use crate::error_response::ErrorResponse;
use crate::fields::json_body;
use crate::value::Value;

/// The result of a handler: the reply to the device, a call, or an error response.
pub type Outcome = Result<Next, ErrorResponse>;

/// The next step of an exchange.
#[derive(Debug)]
pub enum Next {
    /// The device gets a response, and the exchange ends.
    Reply(Reply),
    /// The homeserver is called, or a message delivered; the call's function continues.
    #[doc(hidden)]
    Call(Box<PendingCall>),
}

impl From<Reply> for Next {
    fn from(reply: Reply) -> Next {
        Next::Reply(reply)
    }
}

/// A call that a rule makes, as a `static`; `S` is the rule's state until the response is there.
pub struct Call<S: 'static> {
    pub(super) shape: Shape,
    resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
}

impl<S> Call<S> {
    /// GET of `path`; `resume` continues with the response. `path` is below `/_matrix/client/v3`, or from the root if
    /// it begins with a slash; `{name}` stands for a segment that [`to`](Call::to) fills in.
    ///
    /// `{room}` may be filled with an alias: the SDK asks for its id first, which is one more of the exchange's calls.
    pub const fn get(
        path: &'static str,
        resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
    ) -> Call<S> {
        Call::new("GET", path, resume)
    }

    /// PUT; as [`get`](Call::get).
    pub const fn put(
        path: &'static str,
        resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
    ) -> Call<S> {
        Call::new("PUT", path, resume)
    }

    /// POST; as [`get`](Call::get).
    pub const fn post(
        path: &'static str,
        resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
    ) -> Call<S> {
        Call::new("POST", path, resume)
    }

    /// DELETE; as [`get`](Call::get).
    pub const fn delete(
        path: &'static str,
        resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
    ) -> Call<S> {
        Call::new("DELETE", path, resume)
    }

    const fn new(
        method: &'static str,
        path: &'static str,
        resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
    ) -> Call<S> {
        let shape = Shape {
            method,
            path,
            room: place_of_room(path),
            credential: Credential::Any,
            named: None,
            hold_ms: 0,
            any_status: false,
            delivers: false,
        };
        Call { shape, resume }
    }

    /// Whose access token the gateway attaches; [`Credential::Any`] by default.
    pub const fn credential(mut self, credential: Credential) -> Call<S> {
        self.shape.credential = credential;
        self
    }

    /// To the homeserver that the operator grants to this rule by `name`. By default a call goes to the homeserver in
    /// the device's Proxy-Uri, if the route takes one ([`Route::proxy_uri`](super::Route::proxy_uri)), else to the
    /// gateway's own.
    pub const fn named(mut self, name: &'static str) -> Call<S> {
        self.shape.named = Some(name);
        self
    }

    /// A long poll: milliseconds that the homeserver may wait; the gateway caps them at 60,000.
    pub const fn hold_ms(mut self, milliseconds: u32) -> Call<S> {
        self.shape.hold_ms = milliseconds;
        self
    }

    /// Continues with responses of any status. Without it the device gets the error response that the SDK makes of a
    /// status other than 2xx ([`homeserver_error`](crate::homeserver_error)). A call without a response always ends
    /// the exchange.
    pub const fn any_status(mut self) -> Call<S> {
        self.shape.any_status = true;
        self
    }

    /// The call with its `{…}` filled in, in their order.
    pub fn to(&'static self, arguments: &[&str]) -> Prepared<S>
    where
        S: State,
    {
        Prepared::of(self, arguments)
    }
}

impl fmt::Debug for dyn Resume {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape().fmt(formatter)
    }
}

impl<S> fmt::Debug for Call<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.shape.path)
    }
}

/// A [`Call`] with any state.
#[doc(hidden)]
pub trait Resume: Sync {
    fn shape(&self) -> &Shape;
    fn resume(&self, response: &HomeserverResponse<'_>, state: Value) -> Outcome;
}

impl<S: State> Resume for Call<S> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn resume(&self, response: &HomeserverResponse<'_>, state: Value) -> Outcome {
        (self.resume)(response, S::from_value(state).ok_or_else(damaged)?)
    }
}

/// A [`Call`] about to be made.
#[derive(Debug)]
pub struct Prepared<S> {
    pending: Box<PendingCall>,
    state: PhantomData<S>,
}

impl<S: State> Prepared<S> {
    pub(super) fn of(call: &'static dyn Resume, arguments: &[&str]) -> Prepared<S> {
        let pending = Box::new(PendingCall {
            call,
            state: Value::Null,
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            query: Vec::new(),
            body: None,
            delivery: None,
        });
        Prepared {
            pending,
            state: PhantomData,
        }
    }

    /// Adds to the query.
    pub fn query(mut self, name: &str, value: &str) -> Prepared<S> {
        self.pending.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds pairs to the query.
    pub(super) fn queries(mut self, pairs: Vec<(String, String)>) -> Prepared<S> {
        self.pending.query.extend(pairs);
        self
    }

    /// The body.
    pub fn json(mut self, body: &Value) -> Result<Prepared<S>, ErrorResponse> {
        self.pending.body = Some(json_body(body)?);
        Ok(self)
    }

    /// Makes the call, and stores `state` for the function that continues. It and the segments filled in may take 16
    /// KiB; above that the device gets 4.13.
    pub fn send_with_state(self, state: S) -> Outcome {
        Ok(Next::Call(self.pending_with(state)))
    }

    pub(super) fn pending_with(mut self, state: S) -> Box<PendingCall> {
        self.pending.state = state.into_value();
        self.pending
    }
}

impl Prepared<()> {
    /// Makes the call.
    pub fn send(self) -> Outcome {
        Ok(Next::Call(self.pending))
    }
}

/// A call with everything that it needs.
#[doc(hidden)]
#[derive(Debug)]
pub struct PendingCall {
    pub(super) call: &'static dyn Resume,
    pub(super) state: Value,
    pub(super) arguments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// Set if it is a [`Delivery`](super::Delivery).
    pub(super) delivery: Option<PendingDelivery>,
}

/// What a delivery has besides its call.
#[doc(hidden)]
#[derive(Debug)]
pub struct PendingDelivery {
    pub(super) transaction: String,
    /// None: the default.
    pub(super) lane: Option<String>,
}
