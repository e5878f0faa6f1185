//! A rule as a table: routes, what each one answers, and the calls that it makes. The contract's `describe`, `begin` and
//! `resume` follow from it.
//!
//! ```
//! use comatrix_sdk::rule::*;
//!
//! /// `POST <mount>/<room>` with `{"text"}` becomes a message in that room.
//! pub static RULE: Rule = Rule::new(&[Route::post("{room}", say).calls(&[&SEND])]);
//! comatrix_sdk::export!(RULE);
//!
//! static SEND: Call<()> = Call::put("rooms/{room}/send/m.room.message/{txn}", sent);
//!
//! fn say(request: &Request) -> Outcome {
//!     let payload = request.payload()?;
//!     let content = Value::texts([("msgtype", "m.text"), ("body", text(&payload, "text")?)]);
//!     SEND.to(&[&request.room()?, request.flow_id()]).json(&content)?.send()
//! }
//!
//! fn sent(answer: &Answer, (): ()) -> Outcome {
//!     let event_id = answer.text("event_id", MAX_IDENTIFIER)?;
//!     Ok(Reply::changed(Value::texts([("event_id", &event_id)])).into())
//! }
//! ```
//!
//! Every call of the gateway runs in a fresh instance, so a handler that needs the homeserver does not wait: it ends
//! with a call, and the function that the call names goes on with the answer. What it must know by then it keeps
//! ([`Prepared::keep`]).
//!
//! A resource that devices observe (RFC 7641) says what a room's text messages mean to them; the rest is the SDK's:
//!
//! ```
//! use comatrix_sdk::rule::*;
//!
//! /// `GET <mount>/<room>` answers the length of the latest message, and of each one that follows.
//! pub static RULE: Rule = Rule::new(&[Route::get("{room}", |request| request.latest()).watch(length)]);
//! comatrix_sdk::export!(RULE, observer);
//!
//! fn length(_: &Topic, message: &TextMessage) -> Option<Value> {
//!     Some(Value::map([("length", Value::from(message.body.len() as u64))]))
//! }
//! ```

mod answer;
mod call;
mod exchange;
mod kept;
mod latest;
mod lookup;
mod observer;
mod pattern;
mod reply;
mod request;
mod route;
mod topic;

pub use answer::Answer;
pub use call::{Call, Next, Outcome, Prepared};
pub use exchange::Exchange;
pub use kept::Keep;
pub use reply::Reply;
pub use request::Request;
pub use route::{CBOR, Handler, JSON, Route};
pub use topic::{Meaning, Topic};

pub use crate::code;
pub use crate::fields::text;
pub use crate::refusal::Refusal;
pub use crate::room::MAX_IDENTIFIER;
pub use crate::text_message::TextMessage;
pub use crate::value::Value;

use crate::bindings::{CallError, Context, Description, Effect, Failure, HttpResponse, Message};
use crate::fields::answer_format;
use crate::homeserver_error::success;
use crate::settings::Settings;
use crate::state::recall;
use lookup::Recalled;

/// The most links and the most needs of a description (`wit/translator.wit`).
const MAX_ENTRIES: usize = 64;

/// A rule: put it into a `static` and name that in [`export!`](crate::export).
#[derive(Debug)]
pub struct Rule {
    routes: &'static [Route],
    settings: &'static [&'static str],
}

impl Rule {
    /// A rule with these routes and no settings but names of rooms.
    pub const fn new(routes: &'static [Route]) -> Rule {
        Rule {
            routes,
            settings: &[],
        }
    }

    /// The settings that an operator may give. Any other, except names of rooms (`room.<name>`), keeps the rule from
    /// being activated, so that a mistyped one is noticed.
    pub const fn settings(self, settings: &'static [&'static str]) -> Rule {
        Rule { settings, ..self }
    }

    /// The contract's `describe`.
    pub fn describe(&self, settings: &dyn Settings) -> Result<Description, String> {
        let known = |key: &&str| self.settings.contains(key) || key.starts_with("room.");
        if let Some(unknown) = settings.keys().into_iter().find(|key| !known(key)) {
            let known = match self.settings {
                [] => "none but names of rooms".to_owned(),
                names => names.join(", "),
            };
            return Err(format!(
                "there is no setting {unknown}; this rule has {known}"
            ));
        }
        let mut needs = Vec::new();
        for call in self.routes.iter().flat_map(Route::all_calls) {
            for need in call.shape().needs() {
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
        }
        if self.routes.len() > MAX_ENTRIES || needs.len() > MAX_ENTRIES {
            return Err(format!(
                "the rule has more than {MAX_ENTRIES} routes or needs; its author must make two rules of it"
            ));
        }
        Ok(Description {
            links: self.routes.iter().map(Route::link).collect(),
            needs,
        })
    }

    /// The contract's `begin`.
    pub fn begin(
        &self,
        settings: &dyn Settings,
        context: &Context,
        message: &Message,
    ) -> Result<Effect, Failure> {
        let begin = || {
            let route = self.route(context)?;
            let exchange = Exchange::new(settings, context, route);
            let outcome = (route.handler)(&Request::new(&exchange, message));
            exchange.effect(answer_format(message), outcome?)
        };
        begin().or_else(Refusal::into_answer)
    }

    /// The contract's `resume`.
    pub fn resume(
        &self,
        settings: &dyn Settings,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        let resume = || {
            let route = self.route(context)?;
            let exchange = Exchange::new(settings, context, route);
            let (format, fields) = recall(state)?;
            let (recalled, kept, waiting) = Recalled::from(route, fields)?;
            let response = match outcome {
                Ok(response) if recalled.takes_any_status() && waiting.is_none() => response,
                outcome => success(context, format, outcome)?,
            };
            if let Some(waiting) = waiting {
                let pending = waiting.with_room(recalled, kept, &response)?;
                return exchange.effect(format, Next::Call(pending));
            }
            let answer = Answer::new(&exchange, &recalled, &response);
            exchange.effect(format, recalled.call.resume(&answer, kept)?)
        };
        resume().or_else(Refusal::into_answer)
    }

    fn route(&self, context: &Context) -> Result<&'static Route, Refusal> {
        self.routes
            .get(usize::from(context.link))
            .ok_or_else(|| Refusal::internal(format!("the rule has no link {}", context.link)))
    }
}

/// Makes a static [`Rule`] the rule that a crate is: `export!(RULE);`, or `export!(RULE, observer);` if it has routes that are watched.
/// Natively it does nothing, so that the crate's tests link.
#[macro_export]
macro_rules! export {
    ($rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{
                CallError, Context, Description, Effect, Failure, Guest, HttpResponse, Message,
            };
            struct Exported;
            impl Guest for Exported {
                fn describe(settings: Vec<(String, String)>) -> Result<Description, String> {
                    $rule.describe(&settings)
                }
                fn begin(
                    settings: Vec<(String, String)>,
                    context: Context,
                    request: Message,
                ) -> Result<Effect, Failure> {
                    $rule.begin(&settings, &context, &request)
                }
                fn resume(
                    settings: Vec<(String, String)>,
                    context: Context,
                    state: Vec<u8>,
                    outcome: Result<HttpResponse, CallError>,
                ) -> Result<Effect, Failure> {
                    $rule.resume(&settings, &context, &state, outcome)
                }
            }
            $crate::bindings::export!(Exported);
        };
    };
    ($rule:path, observer) => {
        $crate::export!($rule);
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{
                Change, Context, Failure, HttpRequest, HttpResponse, Message, Observer, Progress,
            };
            struct Exported;
            impl Observer for Exported {
                fn poll(
                    _: Vec<(String, String)>,
                    state: Vec<u8>,
                    topics: Vec<String>,
                ) -> Result<HttpRequest, Failure> {
                    $rule.poll(&state, &topics)
                }
                fn polled(
                    _: Vec<(String, String)>,
                    state: Vec<u8>,
                    topics: Vec<String>,
                    answer: HttpResponse,
                ) -> Result<Progress, Failure> {
                    $rule.polled(&state, &topics, &answer)
                }
                fn notify(
                    _: Vec<(String, String)>,
                    context: Context,
                    change: Change,
                ) -> Result<Message, Failure> {
                    $rule.notify(&context, &change)
                }
            }
            $crate::bindings::export_observer!(Exported);
        };
    };
}

#[cfg(test)]
mod tests;
