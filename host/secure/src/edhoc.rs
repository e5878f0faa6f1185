//! EDHOC (RFC 9528): a device with a key pair and the gateway agree on a security context for OSCORE.
//!
//! The gateway is the responder, with method 3 (static Diffie-Hellman keys on both sides) and cipher suite 2
//! (AES-CCM-16-64-128, SHA-256, P-256). A [`Responder`] takes messages and the time, and returns messages; what a
//! device has proven comes out as [`Agreed`]. [`Protection`] is the place of both EDHOC and OSCORE in an endpoint: it
//! takes the combined request of RFC 9668, and the resource `/.well-known/edhoc` (RFC 9528 Appendix A.2).
//!
//! `lakers` computes the key schedule and the messages. It panics on many inputs that a datagram can carry, so each
//! message is checked before `lakers` sees a byte of it: [`message_1`], [`message_3`], and what is inside message_3 as
//! soon as it is decrypted ([`plaintext_3`]). Elliptic curve, hash and AES-CCM come from RustCrypto ([`suite_2`]).
//!
//! **Who may make it compute.** message_1 costs most and anybody can forge its address. So there are few pending
//! sessions, shared among hosts; addresses that are not proven have half of them and a budget of computations, and
//! beyond that have to prove themselves first.
//!
//! [`Initiator`] is the other side, for tools and tests.
//!
//! Not here: other methods and suites, credentials other than CCS with a P-256 key (RFC 8392, RFC 8747), and external
//! authorization data.

mod agreed;
mod budget;
mod ccs;
mod ccs_error;
mod claims;
mod combined;
mod curve;
mod diagnostic;
mod external;
#[cfg(any(test, feature = "forgery"))]
mod forgery;
mod identity;
mod initiator;
mod message_1;
mod message_3;
mod plaintext_3;
mod protection;
mod refusal;
mod renewals;
mod resource;
mod responder;
mod sessions;
mod suite_2;
#[cfg(test)]
mod tests;

pub use agreed::Agreed;
pub use ccs::Ccs;
pub use ccs_error::{CcsError, MAX_CCS_BYTES, MAX_KID_BYTES};
pub use identity::{BadKey, Identity};
pub use initiator::{Initiator, InitiatorError, Verified};
pub use protection::Protection;
pub use refusal::{Refusal, Refused};
pub use resource::{Handled, PATH};
pub use responder::{Credentials, From, Random, Responder};
