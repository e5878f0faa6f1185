//! The protocol of systemd and compatible service managers: socket activation, readiness and watchdog.
//!
//! Environment variables enable each part. Without them the gateway sends nothing and takes no socket.

mod activation;
mod notify;
mod watchdog;

pub use activation::{ActivationError, take_socket};
pub use notify::{failed, ready, reloaded, reloading, stopping};
pub use watchdog::Watchdog;
