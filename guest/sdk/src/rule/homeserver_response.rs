//! The homeserver's response to a call.

use std::ops::Deref;

use super::exchange::Exchange;
use crate::bindings::HttpResponse;
use crate::error_response::ErrorResponse;
use crate::extract::{Item, extract};
use crate::homeserver_error::{Repetition, check_status, error_object};
use crate::homeserver_json::{not_json, text_member};
use crate::json;
use crate::payload::Format;
use crate::value::Value;

/// A homeserver's response to a [`Call`](super::Call): a success, unless the call takes any status. The exchange
/// comes with it ([`Exchange`]).
pub struct HomeserverResponse<'a> {
    exchange: &'a Exchange<'a>,
    format: Format,
    /// Empty if the call's path has none.
    room: &'a str,
    response: &'a HttpResponse,
    /// What a device may do after a 5xx.
    repetition: Repetition,
}

impl<'a> Deref for HomeserverResponse<'a> {
    type Target = Exchange<'a>;

    fn deref(&self) -> &Exchange<'a> {
        self.exchange
    }
}

impl<'a> HomeserverResponse<'a> {
    pub(super) fn new(
        exchange: &'a Exchange<'a>,
        format: Format,
        room: &'a str,
        response: &'a HttpResponse,
        repetition: Repetition,
    ) -> HomeserverResponse<'a> {
        HomeserverResponse {
            exchange,
            format,
            room,
            response,
            repetition,
        }
    }

    /// The id of the room in the call's `{room}`, even if the call was made with an alias. Empty if its path has none.
    pub fn room_id(&self) -> &'a str {
        self.room
    }

    /// Whether the device asks for text with Accept, which the gateway lets through if the route
    /// [produces](super::Route::produces) it: then a value that is one text is the payload as it is.
    pub fn accepts_text(&self) -> bool {
        self.format == Format::Text
    }

    /// The format that the device accepts.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// For a call with [`any_status`](super::Call::any_status): the error response that other calls end with, unless
    /// the status is a success.
    pub fn success(&self) -> Result<(), ErrorResponse> {
        check_status(self.format, || self.repetition, self.response)
    }

    /// The session in a 401 that asks for user-interactive authentication; none in any other response. The call must
    /// have [`any_status`](super::Call::any_status). A rule makes it again with `auth`, an object of `type` and
    /// `session` (<https://spec.matrix.org/v1.13/client-server-api/#user-interactive-authentication-api>).
    pub fn authentication_session(&self) -> Option<String> {
        match self.response.status {
            401 => error_object(self.response)?
                .get("session")?
                .as_text()
                .map(str::to_owned),
            _ => None,
        }
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        &self.response.body
    }

    /// The text in the member `name` of the body, at most `most` bytes; 5.02 if there is none.
    pub fn text(&self, name: &str, most: usize) -> Result<String, ErrorResponse> {
        text_member(&self.response.body, name, most)
    }

    /// The whole body, for small ones: at most 8,192 values, 32 levels deep; 5.02 otherwise.
    pub fn json(&self) -> Result<Value, ErrorResponse> {
        json::decode(&self.response.body).map_err(not_json)
    }

    /// A few values out of a body of any size ([`extract()`]); 5.02 if it is not JSON.
    pub fn extract(
        &self,
        paths: &[&str],
        found: &mut dyn FnMut(usize, Item<'_>),
    ) -> Result<(), ErrorResponse> {
        extract(&self.response.body, paths, found).map_err(not_json)
    }
}

impl std::fmt::Debug for HomeserverResponse<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the body, which may hold an access token.
        formatter
            .debug_struct("HomeserverResponse")
            .field("status", &self.response.status)
            .finish_non_exhaustive()
    }
}
