//! What an observation of a client has led to.

use super::ExchangeError;
use crate::message::Message;

/// What an observation has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObservationEvent {
    /// The state of the resource with its whole body: the response to the registration, or a notification.
    State(Message),
    /// The last word of the server: an error, or a response that begins no observation.
    Ended(Message),
    /// A request has got no usable response. The observation is over.
    Failed(ExchangeError),
}
