//! Messages that wait for their homeserver: the store, the homeservers and the rules meet here.
//!
//! Read first: [`delivering`], the way of a message that an exchange sends; then [`attempting`], its way when it waits.
//! [`deliveries`] keeps the outbox and the store one, and [`row`] is the format of the store.

mod attempting;
mod calls;
mod contents;
mod counters;
mod deliveries;
mod delivering;
mod disk_health;
mod first_accounts;
mod key;
mod loading;
mod mode;
mod names;
mod new_delivery;
mod newer_tokens;
pub mod operators;
mod outcome;
mod reasons;
mod recent_attempts;
mod recording;
mod renewing;
mod restoring;
mod resuming;
mod reviving;
mod row;
mod sending;
mod status;
mod turns;
mod unrecorded;
mod upkeep;
mod users;
mod warning_interval;

pub use contents::Restored;
pub use counters::{Count, OutboxCounters};
pub use deliveries::Deliveries;
pub use mode::{OutboxMode, OutboxSettings};
pub use restoring::RestoreError;
pub(crate) use sending::{Received, Sending};
pub(crate) use status::{FORMATS, Status};

#[cfg(test)]
mod tests;
