//! Security of messages between devices and the gateway, as sans-I/O cores: no socket, no clock, no task.
//!
//! [`dtls`] has the sessions of `coaps` (RFC 7252 §9).

pub mod dtls;
