//! Resources that push what a device has not got yet.

use std::fmt;

use super::call::{Next, Outcome};
use super::exchange::Exchange;
use super::homeserver_response::HomeserverResponse;
use super::path::place_of_room;
use super::reply::Reply;
use super::shape::{Credential, Shape};
use super::state::{self, State, damaged};
use crate::bindings::Watch;
use crate::error_response::ErrorResponse;
use crate::value::Value;

/// A feed, as a `static`: a long poll for one device, and what becomes of its responses. `S` is the position.
///
/// ```
/// use comatrix_sdk::rule::*;
///
/// /// `GET <mount>/changes` with Observe pushes the account's stream of events, as it is, from now on.
/// pub static RULE: Rule = Rule::new(&[Route::get("changes", begin).feed(&CHANGES)]);
/// comatrix_sdk::export!(RULE, feed);
///
/// static CHANGES: Feed<Option<String>> = Feed::get("sync", ask, read).hold_ms(30_000);
///
/// fn begin(request: &Request) -> Outcome {
///     let since = request.query("since").map(str::to_owned);
///     CHANGES.begin(Reply::content(Value::Map(Vec::new())), since)
/// }
///
/// fn ask(_: &Exchange, since: Option<String>) -> Result<FeedRequest, ErrorResponse> {
///     let request = FeedRequest::to(&[]).query("timeout", "30000");
///     Ok(match since {
///         Some(since) => request.query("since", &since),
///         None => request,
///     })
/// }
///
/// fn read(response: &HomeserverResponse, since: Option<String>) -> Result<Fed<Option<String>>, ErrorResponse> {
///     let next = Some(response.text("next_batch", 512)?);
///     Ok(match next == since && !response.is_refresh() {
///         true => Fed::nothing(next),
///         false => Fed::message(next, Reply::bytes(JSON, response.bytes().to_vec())),
///     })
/// }
/// ```
pub struct Feed<S: 'static> {
    shape: Shape,
    ask: fn(&Exchange<'_>, S) -> Result<FeedRequest, ErrorResponse>,
    read: fn(&HomeserverResponse<'_>, S) -> Result<Fed<S>, ErrorResponse>,
}

/// The variable parts of a feed's next call.
#[derive(Debug, Default)]
pub struct FeedRequest {
    pub(super) arguments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
}

impl FeedRequest {
    /// With the `{…}` of the feed's path filled in, in their order. `{room}` takes an id, not an alias.
    pub fn to(arguments: &[&str]) -> FeedRequest {
        FeedRequest {
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            query: Vec::new(),
        }
    }

    /// Adds to the query.
    pub fn query(mut self, name: &str, value: &str) -> FeedRequest {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What a feed's poll has found: the next position, and the message before it.
#[derive(Debug)]
pub struct Fed<S> {
    state: S,
    reply: Option<Reply>,
}

impl<S> Fed<S> {
    /// Nothing for the device: the next poll begins at `state` at once.
    pub fn nothing(state: S) -> Fed<S> {
        Fed { state, reply: None }
    }

    /// A message of class 2. The next poll begins at `state` when the device has acknowledged it.
    pub fn message(state: S, reply: Reply) -> Fed<S> {
        Fed {
            state,
            reply: Some(reply),
        }
    }
}

impl<S: State> Feed<S> {
    /// GET of `path`, which is as that of [`Call::get`](super::Call::get). `ask` makes the next call from the position,
    /// and `read` reads a successful response to it. An error of class 5 is tried again after a pause, as is 4.29;
    /// another one ends the feed.
    pub const fn get(
        path: &'static str,
        ask: fn(&Exchange<'_>, S) -> Result<FeedRequest, ErrorResponse>,
        read: fn(&HomeserverResponse<'_>, S) -> Result<Fed<S>, ErrorResponse>,
    ) -> Feed<S> {
        let shape = Shape {
            method: "GET",
            path,
            room: place_of_room(path),
            credential: Credential::Any,
            named: None,
            hold_ms: 0,
            any_status: false,
            delivers: false,
        };
        Feed { shape, ask, read }
    }

    /// Whose access token the gateway attaches; [`Credential::Any`] by default.
    pub const fn credential(mut self, credential: Credential) -> Feed<S> {
        self.shape.credential = credential;
        self
    }

    /// Milliseconds that the homeserver may wait; the gateway caps them at 60,000.
    pub const fn hold_ms(mut self, milliseconds: u32) -> Feed<S> {
        self.shape.hold_ms = milliseconds;
        self
    }

    /// Replies, and begins the feed at this position if the device observes and the gateway has room for it. The route
    /// must have this feed ([`Route::feed`](super::Route::feed)).
    pub fn begin(&self, reply: Reply, state: S) -> Outcome {
        let watch = Watch {
            share: String::new(),
            topic: String::new(),
            state: state::encode(vec![state.into_value()])?,
            shown: None,
        };
        Ok(Next::Reply(reply.watch(watch)))
    }
}

impl<S> fmt::Debug for Feed<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.shape.path)
    }
}

/// A [`Feed`] with any position.
#[doc(hidden)]
pub trait AnyFeed: Sync + fmt::Debug {
    fn shape(&self) -> &Shape;
    fn ask(&self, exchange: &Exchange<'_>, state: Value) -> Result<FeedRequest, ErrorResponse>;
    fn read(
        &self,
        response: &HomeserverResponse<'_>,
        state: Value,
    ) -> Result<(Value, Option<Reply>), ErrorResponse>;
}

impl<S: State> AnyFeed for Feed<S> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn ask(&self, exchange: &Exchange<'_>, state: Value) -> Result<FeedRequest, ErrorResponse> {
        (self.ask)(exchange, S::from_value(state).ok_or_else(damaged)?)
    }

    fn read(
        &self,
        response: &HomeserverResponse<'_>,
        state: Value,
    ) -> Result<(Value, Option<Reply>), ErrorResponse> {
        let Fed { state, reply } =
            (self.read)(response, S::from_value(state).ok_or_else(damaged)?)?;
        Ok((state.into_value(), reply))
    }
}
