//! Private, durable files, sockets and records: files are read whole and bounded, and replaced whole; records are
//! committed in batches that outlive a power cut; all are reachable by their own user only.

pub mod database;
pub mod environment;
pub mod file;
pub mod private_socket;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod until_reboot;
