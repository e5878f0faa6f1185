//! The device's side of a session, with a pre-shared key or with certificates, without socket and clock: for the device
//! commands and tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::crypto::Dtls12CipherSuite;
use dimpl::{Config, ConfigBuilder, Dtls, Output, PskResolver, SecurityError};

use super::connection::LARGEST;
use super::credentials::PskKey;
use super::record;
use super::server_certificate::ServerCertificate;
use super::setup::SetupError;
use super::trust::{Trust, Untrusted};

/// Bytes of a datagram of the device: the smallest IPv6 packet without its headers, as of the gateway's to devices with
/// certificates.
const DATAGRAM: usize = 1_232;

/// The first repetition of a flight (RFC 6347 §4.2.4.1), and how many follow it.
const FIRST_REPETITION: Duration = Duration::from_secs(1);
const REPETITIONS: usize = 5;

/// A session with a gateway, from its ClientHello on.
///
/// After each call that takes `now`, poll [`poll`](Self::poll) until it returns `None`; call
/// [`handle_timeout`](Self::handle_timeout) at [`next_timeout`](Self::next_timeout).
pub struct ClientSession {
    dtls: Dtls,
    buffer: Box<[u8]>,
    next_timeout: Option<Instant>,
    /// With certificates: whom the device trusts, and the time since 1970.
    trust: Option<(Trust, Duration)>,
}

/// What a session has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientStep {
    /// Send the datagram.
    Send(Vec<u8>),
    /// The gateway has the key, too: messages can be sent.
    Connected,
    /// A message of the gateway.
    Message(Vec<u8>),
    /// The gateway has closed the session.
    Closed,
    /// The gateway's certificate is refused: the session must not go on.
    Untrusted(Untrusted),
}

/// Why a session is over, or did not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The gateway ended it with this alert (RFC 5246 §7.2).
    #[error("the gateway ended the session with alert {0}")]
    Alert(u8),
    /// No response, or not enough of it.
    #[error("the handshake was not finished in time")]
    TimedOut,
    /// What came is no DTLS, or the gateway does not have the key.
    #[error("the session failed: {0}")]
    Protocol(String),
}

impl From<dimpl::Error> for ClientError {
    fn from(error: dimpl::Error) -> Self {
        match error {
            dimpl::Error::SecurityError(SecurityError::FatalAlert { description }) => {
                Self::Alert(description)
            }
            dimpl::Error::Timeout(_) => Self::TimedOut,
            other => Self::Protocol(other.to_string()),
        }
    }
}

/// The one key of a device.
struct OwnKey(PskKey);

impl PskResolver for OwnKey {
    fn resolve(&self, _hint: &[u8]) -> Option<Vec<u8>> {
        Some(self.0.expose().to_vec())
    }
}

impl ClientSession {
    /// Begins a handshake, which may take `timeout`. It takes several milliseconds: the library tests its cryptography.
    ///
    /// # Errors
    /// [`SetupError`]: the timeout is out of the library's bounds.
    pub fn with_key(
        identity: &str,
        key: PskKey,
        timeout: Duration,
        now: Instant,
    ) -> Result<Self, SetupError> {
        let config = builder(timeout)
            .dtls12_cipher_suites(&[Dtls12CipherSuite::PSK_AES128_CCM_8])
            .with_psk_client(identity.into(), Arc::new(OwnKey(key)))
            .build()
            .map_err(library)?;
        Self::begin(Dtls::new_12_psk(Arc::new(config), now), None, now)
    }

    /// Begins a handshake with the device's certificate, which may take `timeout`. `unix_time` is the time since 1970,
    /// for the validity of the gateway's certificate.
    ///
    /// # Errors
    /// As of [`with_key`](Self::with_key).
    pub fn with_certificate(
        own: ServerCertificate,
        trust: Trust,
        timeout: Duration,
        (now, unix_time): (Instant, Duration),
    ) -> Result<Self, SetupError> {
        let config = builder(timeout).build().map_err(library)?;
        let dtls = Dtls::new_12(Arc::new(config), own.into_library(), now);
        Self::begin(dtls, Some((trust, unix_time)), now)
    }

    fn begin(
        mut dtls: Dtls,
        trust: Option<(Trust, Duration)>,
        now: Instant,
    ) -> Result<Self, SetupError> {
        dtls.set_active(true);
        dtls.handle_timeout(now).map_err(library)?;
        Ok(Self {
            dtls,
            buffer: vec![0; LARGEST].into(),
            next_timeout: None,
            trust,
        })
    }

    /// Takes a datagram of the gateway. What cannot be DTLS is ignored.
    ///
    /// # Errors
    /// [`ClientError`]: the session is over.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<(), ClientError> {
        self.dtls.handle_timeout(now)?;
        if record::first(datagram).is_some() && datagram.len() <= LARGEST {
            self.dtls.handle_packet(datagram)?;
        }
        Ok(())
    }

    /// Repeats what is due.
    ///
    /// # Errors
    /// [`ClientError`]: the session is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ClientError> {
        Ok(self.dtls.handle_timeout(now)?)
    }

    /// Protects a message. Before [`ClientStep::Connected`] it waits for the end of the handshake.
    ///
    /// # Errors
    /// [`ClientError`]: the session is over.
    pub fn send(&mut self, now: Instant, message: &[u8]) -> Result<(), ClientError> {
        self.dtls.handle_timeout(now)?;
        self.dtls.send_application_data(message)?;
        Ok(())
    }

    /// Queues a close_notify: the gateway ends the session.
    pub fn close(&mut self) {
        // It fails only for a session that is over.
        let _ = self.dtls.close();
    }

    /// What the session has done since the last call.
    pub fn poll(&mut self) -> Option<ClientStep> {
        loop {
            match self.dtls.poll_output(&mut self.buffer) {
                Output::Packet(datagram) => return Some(ClientStep::Send(datagram.to_vec())),
                Output::Connected => return Some(ClientStep::Connected),
                Output::ApplicationData(message) => {
                    return Some(ClientStep::Message(message.to_vec()));
                }
                Output::CloseNotify => return Some(ClientStep::Closed),
                Output::PeerCert(certificate) => {
                    let refused = self
                        .trust
                        .as_ref()
                        .and_then(|(trust, now)| trust.check(certificate, *now).err());
                    if let Some(refused) = refused {
                        return Some(ClientStep::Untrusted(refused));
                    }
                }
                Output::Timeout(at) => {
                    self.next_timeout = Some(at);
                    return None;
                }
                Output::BufferTooSmall { .. } => return None,
                _ => {}
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has work.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.next_timeout
    }
}

fn builder(timeout: Duration) -> ConfigBuilder {
    Config::builder()
        .mtu(DATAGRAM)
        .flight_start_rto(FIRST_REPETITION)
        .flight_retries(REPETITIONS)
        .handshake_timeout(timeout)
        .dtls13_cipher_suites(&[])
}

fn library(error: dimpl::Error) -> SetupError {
    SetupError::Library(error.to_string())
}
