//! OSCORE (RFC 8613): protects CoAP messages end to end, with AES-CCM-16-64-128 and HKDF with SHA-256.
//!
//! A server has a table of [`Contexts`], one for each device: [`Contexts::unprotect`] verifies a request, and
//! [`Contexts::protect`] protects its responses and notifications. A client has one [`Context`]:
//! [`Context::protect_request`] and [`Context::unprotect_response`], or [`ExchangeProtection`] for exchanges in blocks.
//!
//! **No nonce is used twice.** A response has the nonce of its request, which the replay window admits once, or a
//! sender sequence number of its own. Sequence numbers are reserved in blocks: a [`Reservation`] is a value for the
//! caller to store, and no number of it is used before the caller says that it is stored. After a restart numbers go on
//! at the end of the stored reservation.
//!
//! **No replay is accepted.** The replay window is in memory. After a restart it is lost, and a device must send its
//! first request again with an Echo value, which no earlier message has (Appendix B.1.2). Nothing is accepted before
//! the first reservation since the start is stored, so a stored reservation also says that the context was used.
//!
//! **No key is used too often.** The messages that a context encrypts, and those that do not decrypt with it, are
//! counted and stored with its sequence numbers ([`Used`]). At their limits (draft-ietf-core-oscore-key-limits) it is
//! refused like one that is not there: a device with a key pair runs EDHOC again, another one needs a new key.
//!
//! Not here: group OSCORE, the derivation of contexts by Appendix B.2, other algorithms, and key update (KUDOS, still a
//! draft): a device gets new keys by enrolment or by EDHOC.

mod add_error;
mod class;
mod client;
mod client_exchange;
mod context;
mod contexts;
mod derivation;
mod echo;
mod entry;
mod identifier;
mod key;
mod nonce;
mod option_value;
mod plaintext;
mod protection;
mod refusal;
mod replay_window;
mod reservation;
mod sender_numbers;
mod server;
#[cfg(test)]
pub(crate) mod tests;
mod usage;

pub use add_error::AddError;
pub use client::{ResponseError, SentRequest};
pub use client_exchange::ExchangeProtection;
pub use context::{CannotProtect, Context};
pub use contexts::{Contexts, Verified};
pub use derivation::{MasterSecret, Parameters, ParametersError};
pub use identifier::{IdContext, Identifier, MAX_ID_CONTEXT_BYTES, MAX_IDENTIFIER_BYTES};
pub use refusal::{Refusal, Refused};
pub use reservation::{ContextId, Reservation};
pub use sender_numbers::NoNumber;
pub(crate) use server::request_kid;
pub use server::{Binding, OuterProxy};
pub use usage::{Spent, Used};
