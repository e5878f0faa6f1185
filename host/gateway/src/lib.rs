//! The gateway: requests, observations, the rules, and the operation. Here `coap`, `runtime` and `homeserver` meet.
//!
//! Data goes one way: datagram, `transport`, `coap`, [`request`], `runtime`, `homeserver`, and back.
//!
//! Read first: [`request`], then [`event_loop`].

pub mod admin;
mod byte_account;
pub mod coaps_certificates;
pub mod coaps_socket;
pub mod config;
pub mod control;
mod cost;
pub mod daemon;
mod deferred_datagrams;
pub mod devices;
mod dispatcher;
pub mod event_loop;
mod first_blocks;
pub mod limits;
mod listeners;
mod loop_state;
pub mod observe;
pub mod outbox;
pub mod request;
mod responding;
pub mod rule_manager;
mod secured;
pub mod sessions;
mod sources;
mod status_observers;
mod stored_token;
pub mod telemetry;
mod time_shares;
mod waiting_deliveries;
