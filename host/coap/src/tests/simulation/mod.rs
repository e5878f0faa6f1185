//! Devices and the endpoint on a bad network, on a virtual clock, one world per seed. A seed that fails prints how to
//! replay it with a trace.
//!
//! Read `world` first: the events at a time. `plan` has the decisions of a seed, `network` the fate of a datagram,
//! `device` a client's behaviour and its allowed outcomes, `room` the observed resource, `watcher` its observer,
//! `adversary` a host that harms them, and `verdict` the conditions that must hold.

mod adversary;
mod caller;
mod device;
mod hostile;
pub(super) mod network;
mod plan;
mod room;
mod seeds;
mod tally;
mod verdict;
mod watcher;
mod world;

use super::*;
