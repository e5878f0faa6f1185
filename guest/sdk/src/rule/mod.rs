//! A rule as a table: routes, their handlers, and the calls that these make. The contract's `describe`, `begin` and
//! `resume` follow from it.
//!
//! ```
//! use comatrix_sdk::rule::*;
//!
//! /// `POST <mount>/<room>` with `{"text"}` becomes a message in that room.
//! pub static RULE: Rule = Rule::new(&[Route::post("{room}", say).calls(&[&SEND])]);
//! comatrix_sdk::export!(RULE);
//!
//! static SEND: Delivery<()> = Delivery::put("rooms/{room}/send/m.room.message", sent);
//!
//! fn say(request: &Request) -> Outcome {
//!     let payload = request.payload()?;
//!     let content = Value::texts([("msgtype", "m.text"), ("body", text(&payload, "text")?)]);
//!     SEND.to(&[&request.room()?]).json(&content)?.deliver(request.flow_id())
//! }
//!
//! fn sent(response: &HomeserverResponse, (): ()) -> Outcome {
//!     let event_id = response.text("event_id", MAX_IDENTIFIER)?;
//!     Ok(Reply::changed(Value::texts([("event_id", &event_id)])).into())
//! }
//! ```
//!
//! Every call of the gateway runs in a fresh instance, so a handler that needs the homeserver does not wait: it ends
//! with a call, and the function that the call names continues with the response. What it must know then is its state
//! ([`Prepared::send_with_state`]).
//!
//! A message to a room is a [`Delivery`]: the gateway keeps it if the homeserver cannot be reached. Everything else is
//! a [`Call`].
//!
//! A resource that devices observe (RFC 7641) selects the text messages of its room; the SDK does the rest:
//!
//! ```
//! use comatrix_sdk::rule::*;
//!
//! /// `GET <mount>/<room>` has the length of the latest message, and notifies observers of each one that follows.
//! pub static RULE: Rule = Rule::new(&[
//!     Route::get("{room}", |request| request.latest()).watch(&SelectedMessages(length)),
//! ]);
//! comatrix_sdk::export!(RULE, observer);
//!
//! fn length(_: &Topic, message: &TextMessage) -> Option<Value> {
//!     Some(Value::map([("length", Value::from(message.body.len() as u64))]))
//! }
//! ```

mod call;
mod delivery;
mod exchange;
mod export;
mod feed;
mod feeds;
mod homeserver_response;
mod latest;
mod observer;
mod outbox;
mod path;
mod proxy_uri;
mod reply;
mod request;
mod route;
mod setting;
mod shape;
mod state;
mod step;
mod table;
mod topic;
mod watch;

pub use call::{Call, Next, Outcome, Prepared};
pub use delivery::{Delivery, PreparedDelivery};
pub use exchange::Exchange;
#[doc(hidden)]
pub use feed::AnyFeed;
pub use feed::{Fed, Feed, FeedRequest};
pub use homeserver_response::HomeserverResponse;
pub use reply::Reply;
pub use request::Request;
pub use route::{CBOR, Handler, JSON, Route, TEXT};
pub use setting::Setting;
pub use shape::Credential;
pub use state::State;
pub use table::{OnError, Rule};
pub use topic::Topic;
pub use watch::{AllMessages, SelectedMessages, Watch};

pub use crate::bindings::KnownOption;
pub use crate::code;
pub use crate::error_response::ErrorResponse;
pub use crate::fields::{expect_text, text};
pub use crate::room::MAX_IDENTIFIER;
pub use crate::settings::Settings;
pub use crate::text_message::TextMessage;
pub use crate::value::Value;

#[cfg(test)]
mod tests;
