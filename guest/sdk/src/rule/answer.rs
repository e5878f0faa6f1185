//! What the homeserver has answered.

use std::ops::Deref;

use super::exchange::Exchange;
use super::lookup::Recalled;
use super::pattern::place;
use crate::bindings::HttpResponse;
use crate::extract::{Item, extract};
use crate::homeserver_answer::{not_json, text_member};
use crate::json;
use crate::refusal::Refusal;
use crate::value::Value;

/// A homeserver's answer to a [`Call`](super::Call): a success, unless the call takes any status. What is known about the
/// exchange comes with it ([`Exchange`]).
pub struct Answer<'a> {
    exchange: &'a Exchange<'a>,
    recalled: &'a Recalled,
    response: &'a HttpResponse,
}

impl<'a> Deref for Answer<'a> {
    type Target = Exchange<'a>;

    fn deref(&self) -> &Exchange<'a> {
        self.exchange
    }
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        exchange: &'a Exchange<'a>,
        recalled: &'a Recalled,
        response: &'a HttpResponse,
    ) -> Answer<'a> {
        Answer {
            exchange,
            recalled,
            response,
        }
    }

    /// What the call's `{name}` was filled with; of a room its id, even if it was called by an alias. Empty if the call has
    /// none of that name.
    pub fn argument(&self, name: &str) -> &'a str {
        let place = place(self.recalled.call.shape().path, name);
        let argument = place.and_then(|place| self.recalled.arguments.get(place));
        argument.map_or("", String::as_str)
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        &self.response.body
    }

    /// The text in the member `name` of the answer, at most `most` bytes; 5.02 if there is none.
    pub fn text(&self, name: &str, most: usize) -> Result<String, Refusal> {
        text_member(&self.response.body, name, most)
    }

    /// The whole answer, for small ones: at most 8,192 values, 32 levels deep; 5.02 otherwise.
    pub fn json(&self) -> Result<Value, Refusal> {
        json::decode(&self.response.body).map_err(not_json)
    }

    /// A few values out of an answer of any size ([`extract()`]); 5.02 if it is no JSON.
    pub fn extract(
        &self,
        paths: &[&str],
        found: &mut dyn FnMut(usize, Item<'_>),
    ) -> Result<(), Refusal> {
        extract(&self.response.body, paths, found).map_err(not_json)
    }
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without what was kept, which may be a secret of the request.
        formatter
            .debug_struct("Answer")
            .field("call", &self.recalled.call)
            .field("status", &self.response.status)
            .finish_non_exhaustive()
    }
}
