//! Security between devices and the gateway, as sans-I/O cores: no socket, no clock, no file.
//!
//! [`dtls`] has the sessions of `coaps` (RFC 7252 §9), and [`oscore`] protects single messages on the plain port (RFC
//! 8613).

pub mod dtls;
pub mod oscore;
