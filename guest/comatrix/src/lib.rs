//! The default rule: the CoMatrix resources, each in a file of its own with request, answer and tests.
//!
//! | resource | file |
//! | --- | --- |
//! | `/register`, `/login`, `/logout` | [`register`], [`login`], [`logout`] |
//! | `/join`, `/send`, `/getmsg` | [`join`], [`send`], [`getmsg`] |
//! | `/time` | [`time`] |
//! | `/getmsg`, observed | [`getmsg`] for the first answer, [`observe`] for what follows |
//!
//! [`describe`] lists them for the gateway and [`translate`] calls them. What they share: what Proxy-Uri names
//! ([`target`]), and answers that say yes or no ([`success`], [`refusal`]). What is not about these resources is the
//! SDK's: which room is meant, the device's payload, calls to the homeserver and what comes back.
//!
//! Settings: `errors` = `precise` (the default) or `legacy`; `room.<name>` = a room id or alias that devices may call
//! `<name>`.
#![deny(missing_docs)]

pub mod describe;
#[cfg(test)]
mod fixtures;
pub mod getmsg;
pub mod join;
pub mod login;
pub mod logout;
pub mod observe;
pub mod refusal;
pub mod register;
pub mod send;
pub mod success;
pub mod target;
pub mod time;
pub mod translate;

// Under the names that they have in the SDK, so that a resource's file reads as if they were beside it.
pub(crate) use comatrix_sdk::{call, fields, homeserver_answer, homeserver_error, room, state};

use comatrix_sdk::bindings::{
    CallError, Change, Context, Description, Effect, Failure, Guest, HttpRequest, HttpResponse,
    Message, Observer, Progress, export, export_observer,
};

/// The rule as the gateway sees it.
#[derive(Debug)]
pub struct Comatrix;

export!(Comatrix);
export_observer!(Comatrix);

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

impl Observer for Comatrix {
    fn poll(
        _: Vec<(String, String)>,
        state: Vec<u8>,
        topics: Vec<String>,
    ) -> Result<HttpRequest, Failure> {
        observe::poll(&state, &topics)
    }

    fn polled(
        settings: Vec<(String, String)>,
        state: Vec<u8>,
        topics: Vec<String>,
        answer: HttpResponse,
    ) -> Result<Progress, Failure> {
        observe::polled(&settings, &state, &topics, &answer)
    }

    fn notify(
        _: Vec<(String, String)>,
        context: Context,
        change: Change,
    ) -> Result<Message, Failure> {
        observe::notify(&context, &change)
    }
}
