//! A CoAP server and the exchange of a CoAP client (RFC 7252, RFC 7641, RFC 7959) as a sans-I/O core: no socket, no
//! clock, no task.
//!
//! The caller feeds datagrams, responses and the time into an [`Endpoint`], and polls it for requests, for datagrams to
//! send and for the next timeout. So tests can run a server against clients on a virtual clock and a simulated network.
//! [`client::ClientExchange`] is one request of a client, with the same kind of interface.
//!
//! Every queue and store has a limit, see [`Limits`]. No input makes a function fail or panic: the endpoint ignores or
//! resets malformed datagrams, and responds to invalid requests with an error.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::time::Instant;
//!
//! use comatrix_coap::option::URI_PATH;
//! use comatrix_coap::{Datagram, Endpoint, Limits, Message, MessageType, Token, code, decode, encode};
//!
//! let seed = [7; 16]; // Use random bytes: message IDs come from them.
//! let mut endpoint = Endpoint::new(Limits::default(), seed);
//! let client: SocketAddr = "[2001:db8::1]:49152".parse()?;
//! let now = Instant::now();
//!
//! // A datagram arrives.
//! let request = encode(&Datagram {
//!     message_type: MessageType::Confirmable,
//!     message_id: 0x1234,
//!     token: Token::new(b"t").unwrap_or_default(),
//!     message: Message::new(code::GET).with_option(URI_PATH, "time"),
//! });
//! endpoint.handle_datagram(now, client, &request);
//!
//! // The server responds to the request.
//! while let Some(incoming) = endpoint.poll_request() {
//!     assert_eq!(incoming.request.message.option(URI_PATH), Some(b"time".as_slice()));
//!     let response = Message::new(code::CONTENT).with_payload("12:00");
//!     endpoint.respond(now, incoming.id, response);
//! }
//!
//! // The response is piggybacked in the acknowledgement.
//! while let Some(transmit) = endpoint.poll_transmit() {
//!     assert_eq!(transmit.peer, client);
//!     let datagram = decode(&transmit.bytes)?;
//!     assert_eq!(datagram.message_type, MessageType::Acknowledgement);
//!     assert_eq!(datagram.message.payload, b"12:00");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to read first: `message` (messages as values), `endpoint` (the functions of the caller), `receive` and
//! `request` (the way of a datagram), `respond` and `notification` (the way back).

mod account;
mod address_validation;
mod allowance;
mod assemble;
pub mod block;
mod block1;
mod block1_error;
mod block2;
mod bodies;
mod cache_key;
pub mod client;
pub mod code;
mod codec;
mod counters;
mod dedup;
mod deferral;
mod deferred;
mod echo;
mod endpoint;
mod exchange;
mod feeding;
mod first_block;
mod fitting;
mod giving_up;
mod guesses;
mod hashed_peer;
mod held_response;
mod holders;
mod incoming;
mod judging;
mod known_options;
mod last_numbers;
mod leisure;
mod limits;
mod limits_of_peer;
pub mod message;
mod message_id;
mod message_key;
mod multicast;
mod network;
mod network_settings;
mod notification;
mod observation;
mod observer_table;
pub mod option;
mod option_bounds;
mod options;
mod outbound;
mod outstanding;
mod peer;
mod peer_facts;
mod peer_id;
mod peer_table;
mod problem;
mod protection;
mod rate;
mod receive;
mod registration;
mod reliability;
mod request;
mod respond;
mod response_constraints;
mod retained;
mod secret;
mod sendable;
mod separate;
mod set_known_options;
mod set_limits;
mod suppress;
#[cfg(test)]
mod tests;
mod transmit;
mod unproven_observers;
mod wanted;

pub use block::Block;
pub use codec::{DecodeError, FormatError, decode, encode};
pub use counters::Counters;
pub use endpoint::{Endpoint, Transmit};
pub use exchange::ExchangeId;
pub use first_block::FirstBlock;
pub use hashed_peer::HashedPeer;
pub use holders::{HeldInAll, Holder};
pub use incoming::{Incoming, Request};
pub use known_options::KnownOptions;
pub use limits::Limits;
pub use message::{CoapOption, Datagram, Message, MessageType, Token};
pub use network::Host;
pub use network_settings::NetworkSettings;
pub use observation::{Ended, ObservationId, ObserveEvent};
pub use option_bounds::{MAX_OPTION_BYTES, MAX_OPTIONS, OptionExcess};
pub use peer_facts::PeerFacts;
pub use peer_id::PeerId;
pub use protection::{CannotProtect, MessageProtection, NoProtection, Reply};

/// The example of the README is run as this crate's own.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
