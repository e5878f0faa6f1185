//! Devices that are enrolled: their names, their keys, and the operator's commands about them.
//!
//! The store has the one record of each device, in [`row`]. [`enrolled`] has all of them in memory, [`key_ring`] and
//! [`edhoc_ring`] give keys to handshakes, and [`operators`] is `comatrix-gateway devices …`. A change is on the disk
//! before it takes effect, and takes effect at once: the event loop takes it and closes the sessions that it ends.
//! [`agreeing`] has the exception: a security context that a device makes by EDHOC is used while it is stored.
//!
//! Keys are printed once, to the operator who enrols the device. They are in no log line, no error and no metric; what
//! is shown later is a fingerprint.

mod agreeing;
mod change;
mod credential;
mod edhoc_keys;
mod edhoc_ring;
mod enrolled;
mod enrolling;
mod fleet;
mod importing;
mod key_ring;
mod name;
mod numbers;
pub mod operators;
mod own_key;
mod packed;
mod pinned;
mod row;
mod trusted;
mod trusted_record;

pub(crate) use change::Change;
pub(crate) use edhoc_ring::EdhocRing;
pub use enrolled::{Devices, ReadDevices};
pub(crate) use key_ring::KeyRing;
