//! CoMatrix: a gateway between constrained devices (CoAP, CBOR) and Matrix homeservers (HTTP, JSON).
//!
//! Data walks one way: datagram, [`transport`], [`coap`], [`exchange`], [`rule`], [`upstream`], and back. `coap` knows
//! neither HTTP nor WebAssembly, `rule` knows no sockets, `upstream` knows no CoAP; [`exchange`] is where they meet.
//!
//! Read first: [`exchange`], then [`rule::Revision`], then [`coap::Endpoint`].

pub mod access_log;
pub mod admin;
pub mod cli;
pub mod clock;
pub mod coap;
pub mod compile_component;
pub mod config;
pub mod device;
pub mod discovery;
pub mod endpoint_report;
pub mod environment;
pub mod exchange;
pub mod heap;
pub mod logging;
pub mod observation;
pub mod path_segment;
pub mod private_socket;
pub mod problems;
pub mod recorder;
pub mod rule;
pub mod rule_tool;
pub mod rules;
pub mod secret;
pub mod serve;
pub mod service_manager;
mod serving;
pub mod transport;
pub mod upstream;

/// The default rule, built from `guest/comatrix` by this crate's build script.
pub const DEFAULT_RULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/comatrix.wasm"));
