//! The outbox: messages that the gateway has accepted and that wait for their homeserver.
//!
//! It decides, and does nothing: no socket, no disk, no clock. Its caller stores each record before the device hears
//! 2.04, makes the attempts that [`Outbox::next_attempt`] names, and reports their results.
//!
//! | word | meaning |
//! | --- | --- |
//! | *delivery* | one message for a homeserver; its [`contract::DeliveryId`] is also its transaction id |
//! | *lane* | deliveries of one account that must arrive in their order: a room |
//! | *account* | a homeserver and an access token |
//! | *record* | what the outbox has of a delivery: it waits, or has ended |
//!
//! - In a lane one delivery is in flight, the oldest; lanes are independent of each other.
//! - A homeserver that was unreachable is asked by one lane at a time, after growing pauses; each success doubles the
//!   lanes, up to 16. So a thousand gateways do not return as one.
//! - What was accepted is never dropped for what comes: a record that waits leaves by a result, by its age, or by the
//!   operator.

mod accepted;
mod attempting;
mod failing;
mod holds;
mod landing;
mod lane;
mod leaving;
mod limits;
mod outbox;
mod overview;
mod pause;
mod record;
mod records;
mod retry;
mod reviving;
mod scheduler;
mod server;
mod set_going;
mod short_id;

pub use accepted::{Accepted, Origin};
pub use attempting::{Attempt, Search};
pub use limits::OutboxLimits;
pub use outbox::{Outbox, Route};
pub use overview::Totals;
pub use record::{Record, RecordNumber, State};
pub use retry::{Retry, Waiting};
pub use short_id::short_id;

#[cfg(test)]
mod tests;
