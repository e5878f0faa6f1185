//! HTTP egress: authenticated, bounded calls to homeservers. It knows no CoAP.
//!
//! The way of a call: [`Upstreams::prepare`] gives it an origin, [`Upstreams::send`] attaches the access token and
//! sends it. Between them it is a value that can be stored: [`PreparedCall`].

mod account;
mod authority;
mod caller;
mod client;
mod concurrency_limit;
mod credentials;
mod failure;
mod homeserver;
mod limits;
mod login;
mod others;
mod prepared_call;
mod probes;
mod public_only;
mod record;
mod refused_address;
mod request;
mod response;
mod response_bytes;
mod sent_event;
mod settings;
mod token_refusal;
mod upstreams;

pub use account::Account;
pub use authority::Authority;
pub use caller::{Caller, Session};
pub use client::ClientError;
pub use concurrency_limit::ConcurrencyLimit;
pub use contract::Outcome;
pub use homeserver::{ClientApi, ConfiguredToken, Homeserver};
pub use limits::UpstreamLimits;
pub use login::Login;
pub use others::Others;
pub use prepared_call::PreparedCall;
pub use probes::Probes;
pub use public_only::is_public;
pub use record::{BOUNDS, CallRecord, Durations, OUTCOMES, Presence};
pub use refused_address::MissingToken;
pub use response_bytes::ResponseBytes;
pub use sent_event::SentEvent;
pub use settings::{ConfiguredAccount, TokenPeers, UpstreamSettings};
pub use token_refusal::refuses_token;
pub use upstreams::Upstreams;
