//! What a poll of a feed has found (`wit/feed.wit`).

use wasmtime::component::{ComponentType, Lift};

use crate::bindings::Message;

/// `feed.feed-progress`.
#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct FeedProgress {
    /// The position after the message.
    pub state: Vec<u8>,
    /// The notification.
    pub message: Option<Message>,
}
