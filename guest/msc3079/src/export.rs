//! The contract's functions as the component's exports.
#![cfg(target_family = "wasm")]

use comatrix_sdk::bindings::{
    CallError, Context, Description, Effect, Failure, Feed, FeedProgress, Guest, HttpRequest,
    HttpResponse, KnownOption, Message, Options, export, export_feed, export_options,
};

use crate::{feed, key_version, links, request, response, settings};

struct Rule;

// The instance ends with each call, and its memory as a whole: what is forgotten here is freed so.
impl Guest for Rule {
    fn describe(settings: Vec<(String, String)>) -> Result<Description, String> {
        settings::check(&settings)?;
        Ok(links::description())
    }

    fn begin(
        settings: Vec<(String, String)>,
        context: Context,
        message: Message,
    ) -> Result<Effect, Failure> {
        let effect = request::begin(&context, &message);
        std::mem::forget((settings, context, message));
        effect
    }

    fn resume(
        settings: Vec<(String, String)>,
        context: Context,
        state: Vec<u8>,
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        let effect = response::resume(&settings, &context, &state, outcome);
        std::mem::forget((settings, context, state));
        effect
    }
}

impl Options for Rule {
    fn known_options(_: Vec<(String, String)>) -> Vec<KnownOption> {
        key_version::known_options()
    }
}

impl Feed for Rule {
    fn feeds(_: Vec<(String, String)>) -> Vec<u16> {
        links::feeds()
    }

    fn poll(
        _: Vec<(String, String)>,
        context: Context,
        state: Vec<u8>,
    ) -> Result<HttpRequest, Failure> {
        feed::poll(&context, &state)
    }

    fn polled(
        settings: Vec<(String, String)>,
        context: Context,
        state: Vec<u8>,
        response: HttpResponse,
    ) -> Result<FeedProgress, Failure> {
        feed::polled(&settings, &context, &state, &response)
    }
}

export!(Rule);
export_options!(Rule);
export_feed!(Rule);
