//! Security between devices and the gateway, as sans-I/O cores: no socket, no clock, no file.
//!
//! [`oscore`] protects single messages on the plain port (RFC 8613).

pub mod oscore;
