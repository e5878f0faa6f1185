//! Devices and the endpoint on a bad network, on a virtual clock, one world per seed. A seed that fails tells how to
//! replay it with a trace.
//!
//! Read `world` first: what happens at a time. `plan` is what a seed decides, `network` what becomes of a datagram,
//! `device` how a client behaves and what it may report, `room` what is observed, `watcher` who observes it, and
//! `verdict` what must hold.

mod device;
mod network;
mod plan;
mod room;
mod seeds;
mod tally;
mod verdict;
mod watcher;
mod world;

use super::*;
