//! The response to a device, and its side effect in the gateway.

use std::sync::Arc;
use std::time::Instant;

use coap::option;
use contract::{Context, DeliveryId, Peer, Watch};
use homeserver::{Account, Caller};
use runtime::Revision;

/// The end of an exchange.
pub struct Response {
    /// The message for the device.
    pub message: coap::Message,
    /// The gateway carries it out when it sends the message.
    pub side_effect: Option<SideEffect>,
}

/// A change of observations that a response brings.
pub enum SideEffect {
    /// It starts an observation.
    Observation(Box<ObserveRequest>),
    /// It starts an observation of a message that waits.
    StatusObservation(Box<StatusRequest>),
    /// It ends the observations of an account whose access token is no longer valid.
    LoggedOut(Account),
}

/// A request to observe what becomes of a message.
#[derive(Clone)]
pub struct StatusRequest {
    /// The message.
    pub id: DeliveryId,
    /// The device that has sent it.
    pub device: Peer,
    /// The Content-Format of the notification.
    pub format: u16,
}

/// A request to start an observation.
pub struct ObserveRequest {
    /// The rule that replied.
    pub revision: Arc<Revision>,
    /// The rule's watch.
    pub watch: Watch,
    /// The context of the request, for the rule's calls that make notifications.
    pub context: Context,
    /// The device, with its access token.
    pub device: Caller,
    /// The request's Uri-Path: another revision finds its link by it.
    pub path: Vec<String>,
    /// When the request came: changes since then may be new to the device.
    pub began: Instant,
}

impl ObserveRequest {
    /// Whether its observation is a feed.
    #[must_use]
    pub fn is_feed(&self) -> bool {
        self.revision.feeds(self.context.link)
    }
}

impl From<coap::Message> for Response {
    fn from(message: coap::Message) -> Self {
        Self {
            message,
            side_effect: None,
        }
    }
}

/// The response that would have started an observation, which it does not: it has Max-Age 0, since no notification will
/// replace it.
pub(crate) fn without_observation(message: coap::Message) -> coap::Message {
    match message.option(option::MAX_AGE) {
        Some(_) => message,
        None => message.with_uint_option(option::MAX_AGE, 0),
    }
}
