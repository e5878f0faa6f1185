//! What a case runs against.

use std::collections::BTreeMap;

use crate::bindings::{
    CallError, Change, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress,
};

/// A rule that a case runs against.
pub trait Rule {
    /// The rule's settings from here on, and its description with them.
    fn configure(&mut self, settings: &BTreeMap<String, String>) -> Result<Description, String>;
    /// The contract's `begin`.
    fn begin(&mut self, context: &Context, request: &Message) -> Result<Effect, Failure>;
    /// The contract's `resume`.
    fn resume(
        &mut self,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure>;
    /// The contract's `poll`; none if this has no observer.
    fn poll(&mut self, _state: &[u8], _topics: &[String]) -> Option<Result<HttpRequest, Failure>> {
        None
    }
    /// The contract's `polled`; none if this has no observer.
    fn polled(
        &mut self,
        _state: &[u8],
        _topics: &[String],
        _response: &HttpResponse,
    ) -> Option<Result<Progress, Failure>> {
        None
    }
    /// The contract's `notify`; none if this has no observer.
    fn notify(&mut self, _context: &Context, _change: &Change) -> Option<Result<Message, Failure>> {
        None
    }
}
