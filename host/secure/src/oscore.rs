//! OSCORE (RFC 8613): protects CoAP messages end to end, with AES-CCM-16-64-128 and HKDF with SHA-256.

mod cbor;
mod derivation;
mod identifier;
mod key;
mod nonce;
#[cfg(test)]
mod tests;

pub use derivation::{MasterSecret, Parameters, ParametersError};
pub use identifier::{IdContext, Identifier};
