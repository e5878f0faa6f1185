//! Private, durable files and sockets: read whole and bounded, replaced whole, reachable by their own user only.

pub mod environment;
pub mod file;
pub mod private_socket;
pub mod until_reboot;
