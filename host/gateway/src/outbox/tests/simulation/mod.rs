//! The outbox in simulated worlds: a disk that loses power, homeservers that fail, devices that repeat, and a clock
//! that the world moves. A seed decides everything.
//!
//! The code of the gateway is the real one, from [`Deliveries`](crate::outbox::Deliveries) to the engine of the store.
//! Simulated are the disk below it, the [homeserver](homeserver), the [devices](message), and time. Read first:
//! [`world`], then [`verdict`].

// Traces, and what happened in all worlds.
#![allow(clippy::print_stdout)]

mod clock;
mod configuration;
mod devices;
mod exchange;
mod homeserver;
mod message;
mod network;
mod operations;
mod outcomes;
mod passing;
mod process;
mod scripted;
mod seeds;
mod tally;
mod verdict;
mod world;

pub(in crate::outbox) use network::Network;
