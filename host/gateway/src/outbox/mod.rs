//! Messages that wait for their homeserver: the store, the homeservers and the rules meet here.

mod mode;

pub use mode::{OutboxMode, OutboxSettings};
