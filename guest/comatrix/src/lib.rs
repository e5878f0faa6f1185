//! The default rule: the CoMatrix resources, each in a file of its own with request, answer and tests.
//!
//! | resource | file |
//! | --- | --- |
//! | `/register`, `/login`, `/logout` | [`register`], [`login`], [`logout`] |
//! | `/join`, `/send`, `/getmsg` | [`join`], [`send`], [`getmsg`] |
//! | `/time` | [`time`] |
//!
//! [`describe`] lists them for the gateway and [`translate`] calls them. What they share: which room is meant
//! ([`target`], [`room`]), the device's payload ([`fields`]), calls to the homeserver ([`call`], [`state`]), what
//! comes back ([`homeserver_answer`], [`homeserver_error`]), and answers that say yes or no ([`success`], [`refusal`]).
//!
//! Settings: `errors` = `precise` (the default) or `legacy`; `room.<name>` = a room id or alias that devices may call
//! `<name>`.
#![deny(missing_docs)]

pub mod call;
pub mod describe;
pub mod fields;
#[cfg(test)]
mod fixtures;
pub mod getmsg;
pub mod homeserver_answer;
pub mod homeserver_error;
pub mod join;
pub mod login;
pub mod logout;
pub mod refusal;
pub mod register;
pub mod room;
pub mod send;
pub mod state;
pub mod success;
pub mod target;
pub mod time;
pub mod translate;

use comatrix_sdk::bindings::{
    CallError, Context, Description, Effect, Failure, Guest, HttpResponse, Message, export,
};

/// The rule as the gateway sees it.
#[derive(Debug)]
pub struct Comatrix;

export!(Comatrix);

impl Guest for Comatrix {
    fn describe(settings: Vec<(String, String)>) -> Result<Description, String> {
        describe::describe(&settings)
    }

    fn begin(
        settings: Vec<(String, String)>,
        context: Context,
        request: Message,
    ) -> Result<Effect, Failure> {
        translate::begin(&settings, &context, &request)
    }

    fn resume(
        settings: Vec<(String, String)>,
        context: Context,
        state: Vec<u8>,
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        translate::resume(&settings, &context, &state, outcome)
    }
}
