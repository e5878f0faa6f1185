//! DTLS 1.2 sessions (RFC 6347) of devices with pre-shared keys and with certificates, as `coaps` needs them (RFC 7252
//! §9).
//!
//! The caller feeds datagrams and the time into a [`Server`], and polls it for decrypted messages with the device that
//! sent them, for datagrams to send, for events and for the next timeout. A device is a *principal*, the name that
//! [`Credentials`] give it, and only once it has proven to hold its key.
//!
//! | step | what the gateway keeps | what the peer gets |
//! | --- | --- | --- |
//! | ClientHello without a valid cookie | nothing | a HelloVerifyRequest, never longer than the ClientHello |
//! | ClientHello with its cookie | a handshake, within bounds of its host and network, 45 s | the server's flight |
//! | Finished | a session, within bounds for its principal and host | the server's Finished |
//!
//! A ClientHello in fragments is dropped and counted, since putting it together would need state. A new handshake from
//! the address of a session replaces that session only when it is complete.
//!
//! Toward a device with a key each datagram is one record of at most 200 bytes, the buffer of small stacks: messages of
//! up to 171 bytes, so blocks of 64 (RFC 7959). [`Server::longest_message`] has the number for each session.
//!
//! | refused | alert (RFC 5246 §7.2) |
//! | --- | --- |
//! | another version | 70 |
//! | no common cipher suite, no extended master secret (RFC 7627), a message that does not fit | 40 |
//! | wrong key and unknown identity, which the peer cannot tell apart | 51 |
//! | a certificate that is expired, foreign or for another use | 42 |
//! | no room for another session; its handshake has made room for that of a lighter network | 80 |
//! | no room for another handshake; not finished in time | none: the device repeats its ClientHello |
//!
//! Cipher suites: PSK_AES128_CCM_8; ECDHE_ECDSA with AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305 and the curves
//! P-256, P-384 and X25519. Not in the library, and so not here: ECDHE_ECDSA_AES128_CCM_8, raw public keys, connection
//! identifiers (RFC 9146), resumption. DTLS 1.3 is not offered: the library has it without keys and without CCM, so
//! small devices could not use it. A device whose address changes must shake hands again.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//! use std::time::Instant;
//!
//! use comatrix_secure::dtls::{CertificateRefusal, Credentials, Limits, PskDevice, PskKey, Server, Settings};
//!
//! struct Kitchen;
//!
//! impl Credentials for Kitchen {
//!     fn psk(&self, identity: &[u8]) -> Option<PskDevice> {
//!         let key = PskKey::parse("secretPSK1234567").ok()?;
//!         (identity == b"kitchen").then(|| PskDevice { principal: "kitchen".into(), key })
//!     }
//!
//!     fn certificate(&self, _certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
//!         Err(CertificateRefusal::Malformed)
//!     }
//! }
//!
//! let seed = [7; 32]; // Use random bytes: cookies come from them.
//! let settings = Settings { limits: Limits::default(), psk: true, certificate: None, seed };
//! let mut server: Server<SocketAddr> = Server::new(settings, Arc::new(Kitchen), Instant::now())?;
//!
//! // A datagram arrives, and the time passes.
//! let device: SocketAddr = "[2001:db8::1]:49152".parse()?;
//! server.handle_datagram(Instant::now(), device, b"no DTLS");
//! server.handle_timeout(Instant::now());
//! while let Some(message) = server.poll_message() {
//!     // To the endpoint, as `message.session`; its responses go to `server.send`.
//! }
//! while let Some(transmit) = server.poll_transmit() {
//!     // To the socket.
//! }
//! while let Some(event) = server.poll_event() {
//!     // To the log, and to what belongs to the session.
//! }
//! assert_eq!(server.counters().malformed, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to read first: `front` (before any state), `handshaking` (the way to a session), `established` (sessions).

mod authorities;
mod certificate;
mod certificate_checks;
mod client_hello;
mod client_session;
mod connection;
mod cookie;
mod counters;
mod credentials;
mod device_certificate;
mod established;
mod event;
mod failure;
mod fingerprint;
mod flight;
mod front;
mod handshaking;
mod limits;
mod method;
mod pending;
mod provider;
mod reader;
mod record;
mod recorder;
mod refusal;
mod revoking;
mod server;
mod server_certificate;
mod setup;
mod signed;
mod slot;
#[cfg(test)]
mod tests;
mod trust;

pub use authorities::{Authorities, AuthorityError};
pub use certificate::CertificatePolicy;
pub use certificate_checks::CertificateRefusal;
pub use client_session::{ClientError, ClientSession, ClientStep};
pub use counters::Counters;
pub use credentials::{Credentials, NotAKey, PskDevice, PskKey};
pub use device_certificate::{DeviceCertificate, DeviceCertificateError};
pub use event::{CloseReason, Event, Message, SendError, SessionId};
pub use fingerprint::{Fingerprint, fingerprint};
pub use limits::Limits;
pub use method::Method;
pub use refusal::{Identity, Refusal};
pub use server::Server;
pub use server_certificate::{ServerCertificate, ServerCertificateError};
pub use setup::{Settings, SetupError};
pub use trust::{Trust, TrustError, Untrusted};
