//! Observations (RFC 7641) above the endpoint: what devices wait for, the polls of homeservers that wait on their behalf,
//! and which device is told what.
//!
//! A rule's reply with a `watch` begins one. All watches of one account, rule and `share` have one [`poll`]; what it
//! tells goes into the queues of its [`observer`]s, and from there to the devices, one notification at a time: the next
//! one leaves when the device has acknowledged the last. Nothing here waits or sends: [`ObserveBroker`] is fed with what happened,
//! and polled for what is to be done.

mod broker;
mod delivery;
mod limits;
mod long_poll;
mod notification;
mod observer;
mod pause;
mod polling;
mod reconfiguring;
mod registration;
mod renewal;
mod revising;
mod shared_change;

pub use broker::{ObserveBroker, PollId};
pub use polling::{PollCall, Polled};
pub use registration::Prepared;
