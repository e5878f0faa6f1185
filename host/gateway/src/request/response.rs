//! The answer to a device, and what follows from it.

use std::sync::Arc;
use std::time::Instant;

use contract::{Context, Watch};
use homeserver::{Account, Caller};
use runtime::Revision;

/// An answer.
pub struct Response {
    /// For the device.
    pub message: coap::Message,
    /// For the gateway.
    pub side_effect: Option<SideEffect>,
}

/// What the gateway does after an answer.
pub enum SideEffect {
    /// It lets the device observe.
    Observation(Box<ObserveRequest>),
    /// It ends the observations of an account whose access token is no longer valid.
    LoggedOut(Account),
}

/// An observation that a rule wants begun.
pub struct ObserveRequest {
    /// The rule that has answered.
    pub revision: Arc<Revision>,
    /// What is waited for.
    pub watch: Watch,
    /// Of the request's exchange; notifications are made for it.
    pub context: Context,
    /// Who observes, and with whose token.
    pub device: Caller,
    /// The request's Uri-Path, by which another revision knows it.
    pub path: Vec<String>,
    /// When it came: what the homeserver has told since then may be new to the device.
    pub began: Instant,
}

impl From<coap::Message> for Response {
    fn from(message: coap::Message) -> Self {
        Self {
            message,
            side_effect: None,
        }
    }
}
