//! Security between devices and the gateway, as sans-I/O cores: no socket, no clock, no file.
//!
//! [`dtls`] has the sessions of `coaps` (RFC 7252 §9), [`oscore`] protects single messages on the plain port (RFC
//! 8613), and [`edhoc`] makes the security contexts of devices that have a key pair (RFC 9528).

mod cbor;
mod cbor_reader;
pub mod dtls;
pub mod edhoc;
pub mod hexadecimal;
pub mod oscore;
#[cfg(test)]
mod simulation;
