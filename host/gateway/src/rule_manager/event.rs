//! The events on which the rule manager acts.

use std::sync::mpsc::Sender;

use tokio::sync::oneshot;

use super::protocol::ControlRequest;
use crate::control::{Reply, Requester};
use runtime::Alarm;

/// An event that may change which revisions serve.
pub enum Event {
    /// A file of the rule with this name was replaced.
    Replaced(String),
    /// A folder with rules was moved or removed, or events were lost.
    Folders,
    /// A revision fails on too many of its calls.
    Alarm(Alarm),
    /// A command of an operator, who waits for the reply.
    ControlRequest(ControlRequest, Requester, oneshot::Sender<Reply>),
}

/// The queue of events.
pub type Events = Sender<Event>;

/// Sends a command to the manager and waits for the reply. There is no timeout here, since the manager compiles rules.
pub async fn send_command(command: ControlRequest, requester: Requester, events: &Events) -> Reply {
    let (reply, result) = oneshot::channel();
    let gone = || Reply::Refused("the gateway is shutting down; try again".to_owned());
    let event = Event::ControlRequest(command, requester, reply);
    if events.send(event).is_err() {
        return gone();
    }
    result.await.unwrap_or_else(|_| gone())
}
