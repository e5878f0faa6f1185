//! CoMatrix: a gateway between constrained devices (CoAP, CBOR) and Matrix homeservers (HTTP, JSON).
//!
//! Data walks one way: datagram, [`transport`], [`coap`], [`exchange`], [`rule`], [`upstream`], and back. `coap` knows
//! neither HTTP nor WebAssembly, `rule` knows no sockets, `upstream` knows no CoAP; [`exchange`] is where they meet.
//!
//! Read first: [`exchange`], then [`rule::Revision`], then [`coap::Endpoint`].

#[cfg(all(feature = "compiler", feature = "router"))]
compile_error!(
    "the gateway is built with a compiler of rules or without one: for a router add --no-default-features, \
     else leave --features router (and --all-features) out"
);
#[cfg(not(any(feature = "compiler", feature = "router")))]
compile_error!(
    "choose a build of the gateway: the full one (the default feature `compiler`), or the one for routers, \
     --no-default-features --features router"
);

pub mod access_log;
pub mod admin;
pub mod cli;
pub mod clock;
pub mod coap;
#[cfg(feature = "compiler")]
pub mod compile_component;
pub mod config;
pub mod device;
pub mod discovery;
pub mod endpoint_report;
pub mod environment;
pub mod exchange;
pub mod heap;
mod log_message;
pub mod logging;
pub mod observation;
pub mod path_segment;
pub mod private_socket;
pub mod problems;
pub mod recorder;
pub mod rule;
#[cfg(feature = "compiler")]
pub mod rule_tool;
pub mod rules;
pub mod secret;
pub mod serve;
pub mod service_manager;
mod serving;
pub mod transport;
pub mod upstream;

/// The default rule, built from `guest/comatrix` by this crate's build script.
#[cfg(feature = "compiler")]
pub const DEFAULT_RULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/comatrix.wasm"));
