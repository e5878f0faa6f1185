//! A gateway that is killed again and again, and a Synapse that is stopped and started meanwhile, under devices that
//! repeat each message until they have a response, and once more after each kill.
//!
//! [`run`] has the whole, [`device`] one device, [`report`] what must hold: each accepted message is in its room
//! exactly once, in the order of its device.

mod device;
mod dice;
mod report;
mod run;

pub use report::Report;
pub use run::{Plan, run};
