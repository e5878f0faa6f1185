//! Real parts around the real gateway: a Synapse homeserver, aiocoap and libcoap as devices, and a stub homeserver
//! with faults where Synapse behaves too well; and Chromium as the operator who looks at the status page.
//!
//! Everything here blocks, since a test is a story in order. A program that cannot be started fails the test with the
//! command that installs it; nothing is skipped.
#![deny(missing_docs)]
// A part that is missing ends the test there and then; its message names the remedy.
#![allow(clippy::missing_panics_doc)]

pub mod abuse;
pub mod aiocoap;
pub mod behaviour;
pub mod browser;
pub mod datagrams;
pub mod device;
pub mod gateway;
pub mod kills;
pub mod libcoap;
pub mod low_bandwidth;
pub mod manual;
pub mod matrix;
pub mod nio;
pub mod observer;
pub mod page;
pub mod places;
pub mod raw;
pub mod rooms;
pub mod stub;
pub mod supervised;
pub mod synapse;
pub mod tally;
mod target;
pub mod udp_device;
pub mod wire;
