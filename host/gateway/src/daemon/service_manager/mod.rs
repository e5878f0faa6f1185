//! What systemd, or another service manager that speaks as it does, hands over and wants to hear: the socket, readiness, a
//! sign of life.
//!
//! All of it comes in variables of the environment. Without them nothing is said and no socket is taken.

mod activation;
mod notify;
mod watchdog;

pub use activation::{ActivationError, take_socket};
pub use notify::{failed, ready, reloaded, reloading, stopping};
pub use watchdog::Watchdog;
