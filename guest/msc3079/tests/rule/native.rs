//! The rule's native code, as the gateway calls its component.

use comatrix_sdk::bindings::{
    CallError, Context, Description, Effect, Failure, HttpResponse, Message,
};
use comatrix_sdk::vectors::{CaseSettings, NativeRule};
use msc3079_rule::{links, request, response, settings};

/// The rule.
pub struct Msc3079;

impl NativeRule for Msc3079 {
    fn describe(&self, settings: &CaseSettings) -> Result<Description, String> {
        settings::check(settings)?;
        Ok(links::description())
    }

    fn begin(
        &self,
        _: &CaseSettings,
        context: &Context,
        request: &Message,
    ) -> Result<Effect, Failure> {
        request::begin(context, request)
    }

    fn resume(
        &self,
        settings: &CaseSettings,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        response::resume(settings, context, state, outcome)
    }
}

/// The context of a request to this Uri-Path, for the link of every path.
pub fn context(path: &[&str]) -> Context {
    Context {
        link: 0,
        captures: path.iter().map(|segment| (*segment).to_owned()).collect(),
        requested: None,
        principal: None,
        flow_id: "0f".repeat(16),
        now: None,
        facts: Vec::new(),
    }
}
