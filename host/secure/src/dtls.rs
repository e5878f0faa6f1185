//! DTLS 1.2 sessions (RFC 6347) with pre-shared keys and with certificates.
mod certificate;
mod client_hello;
mod connection;
mod cookie;
mod counters;
mod credentials;
mod established;
mod event;
mod flight;
mod front;
mod handshaking;
mod limits;
mod method;
mod provider;
mod reader;
mod record;
mod recorder;
mod refusal;
mod server;
mod server_certificate;
mod setup;
mod signed;
mod slot;
#[cfg(test)]
mod tests;

pub use certificate::{
    AuthorityError, CertificatePolicy, CertificateRefusal, Fingerprint, fingerprint,
};
pub use counters::Counters;
pub use credentials::{Credentials, NotAKey, PskDevice, PskKey};
pub use event::{CloseReason, Event, Message, SendError, SessionId};
pub use limits::Limits;
pub use method::Method;
pub use refusal::{Identity, Refusal};
pub use server::Server;
pub use server_certificate::{ServerCertificate, ServerCertificateError};
pub use setup::{Settings, SetupError};
