//! Observations (RFC 7641) above the endpoint: the long polls of homeservers on behalf of devices, and the
//! notifications that result.
//!
//! A rule's reply with a `watch` starts an observation. All watches of one account, rule and `share` have one
//! [long poll](long_poll). The changes in its responses go into the queues of its [observers](observer), and from there
//! to the devices, one notification at a time: the next one leaves when the device has acknowledged the one before it.
//! Nothing here waits or sends: [`ObserveBroker`] gets events, and the event loop asks it for the next call or
//! notification.
//!
//! A watch of a link that its rule calls a [feed] starts a poll for this device alone. Its position moves when the
//! device has acknowledged what was found, so its messages are not queued.
//!
//! The state is in [`observations`]. Each step on it has a file of its own: [`registration`], [`renewal`],
//! [`next_long_poll`], [`poll_result`], [`delivery`], [`handover`] and [`reconfiguration`]; of feeds [`feeding`],
//! [`next_feed_poll`] and [`feed_result`].

mod backoff;
mod broker;
mod delivery;
mod feed;
mod feed_result;
mod feed_table;
mod feeding;
mod handover;
mod limits;
mod long_poll;
mod next_feed_poll;
mod next_long_poll;
mod notification;
mod observations;
mod observer;
mod observer_bytes;
mod observer_table;
mod poll_account;
mod poll_call;
mod poll_result;
mod poll_table;
mod queued_bytes;
mod recent_changes;
mod reconfiguration;
mod registration;
mod renewal;
mod shared_change;
mod topics;

pub use broker::ObserveBroker;
pub use feeding::PreparedFeed;
pub use poll_call::{CallOf, PollCall, PollResult};
pub use registration::Prepared;
