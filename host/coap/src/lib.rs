//! The CoAP endpoint (RFC 7252, RFC 7959) as a sans-I/O core: no socket, no clock, no task.
//!
//! Callers feed datagrams, responses and the time; then they poll for requests, datagrams to send and
//! the next timeout. So a simulated pair with a virtual clock tests what a socket would hide.
//!
//! Read first: [`message`] (what a message is), then [`endpoint`] (what callers do), then `receive`
//! (what happens to a datagram).

mod address_validation;
mod allowance;
mod assemble;
pub mod block;
mod block1;
mod block2;
mod bodies;
mod cache_key;
pub mod client;
pub mod code;
pub mod codec;
pub mod counters;
mod dedup;
mod echo;
pub mod endpoint;
mod exchange;
pub mod limits;
pub mod message;
mod message_id;
mod multicast;
mod observe_server;
pub mod observer_table;
pub mod option;
pub mod options;
mod peer;
mod peer_table;
mod problem;
mod rate;
mod receive;
mod reliability;
mod respond;
mod response_constraints;
mod secret;
mod sendable;
mod set_limits;
mod silence;
#[cfg(test)]
mod tests;
mod transmit;

pub use block::Block;
pub use codec::{DecodeError, FormatError, decode, encode};
pub use counters::Counters;
pub use endpoint::{Endpoint, Incoming, Transmit};
pub use exchange::ExchangeId;
pub use limits::Limits;
pub use message::{CoapOption, Datagram, Message, MessageType, Token};
pub use observer_table::{Ended, ObservationId, ObserveEvent};

/// The example of the README is run as this crate's own.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
