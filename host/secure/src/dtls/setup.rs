//! Makes a server.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;

use coap::PeerId;
use dimpl::crypto::Dtls12CipherSuite;
use dimpl::{Config, ConfigBuilder};
use share::Shares;

use super::connection::LARGEST;
use super::cookie::Cookies;
use super::counters::Counters;
use super::credentials::Credentials;
use super::front::Offered;
use super::limits::Limits;
use super::method::Method;
use super::pending::Pending;
use super::provider;
use super::recorder::Recorder;
use super::server::Server;
use super::server_certificate::ServerCertificate;

/// Flights that are repeated: a handshake of which five datagrams in a row are lost fails.
const REPETITIONS: usize = 4;

/// Datagrams that came too early and wait, of one handshake: more than a flight with a certificate has at 200 bytes
/// each.
const MOST_WAITING: usize = 16;

/// Datagrams of one flight that wait to be sent: a chain of 4 KiB at 200 bytes each, and the other messages.
const MOST_UNSENT: usize = 32;

/// Settings of a server that are not limits.
pub struct Settings {
    /// See [`Limits`].
    pub limits: Limits,
    /// Whether devices with keys are served.
    pub psk: bool,
    /// The gateway's certificate, if devices with certificates are served.
    pub certificate: Option<ServerCertificate>,
    /// Random and secret: cookies come from it. With the same one after a restart, a cookie from before may be valid.
    pub seed: [u8; 32],
}

/// Why there is no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The limits are not usable.
    #[error("DTLS cannot be set up: {0}; check the timeouts and datagram sizes of [coaps]")]
    Library(String),
}

impl<P: PeerId> Server<P> {
    /// A server without sessions. It takes several milliseconds: the library tests its cryptography.
    ///
    /// # Errors
    /// [`SetupError`]: a limit is out of the library's bounds.
    pub fn new(
        settings: Settings,
        credentials: Arc<dyn Credentials>,
        now: Instant,
    ) -> Result<Self, SetupError> {
        let Settings {
            limits,
            psk,
            certificate,
            seed,
        } = settings;
        let recorder = Arc::new(Recorder::new(credentials.clone()));
        let psk_config = builder(&limits, Method::Psk)
            .dtls12_cipher_suites(&[Dtls12CipherSuite::PSK_AES128_CCM_8])
            .with_psk_server(None, recorder.clone())
            .build()
            .map_err(library)?;
        let mut hosts = DefaultHasher::new();
        hosts.write(&seed);
        let mut server = Self {
            cookies: Cookies::new(seed, now),
            offered: Offered {
                psk,
                certificates: false,
            },
            psk: Arc::new(psk_config),
            certificates: None,
            recorder,
            credentials,
            slots: HashMap::new(),
            principals: HashMap::new(),
            timers: BTreeMap::new(),
            sessions: Shares::new(limits.sessions()),
            handshakes: Pending::new(limits.handshakes()),
            numbers: 0,
            hosts,
            transmits: VecDeque::new(),
            messages: VecDeque::new(),
            events: VecDeque::new(),
            refusals: 0,
            counters: Counters::default(),
            buffer: vec![0; LARGEST],
            limits,
        };
        server.set_certificate(certificate)?;
        Ok(server)
    }

    /// Replaces the gateway's certificate: without one, devices with certificates are not served. Sessions go on, and
    /// handshakes that have begun end with the former one. The first certificate takes several milliseconds, as
    /// [`new`](Self::new) does.
    ///
    /// # Errors
    /// [`SetupError`]: as of [`new`](Self::new); nothing has changed.
    pub fn set_certificate(
        &mut self,
        certificate: Option<ServerCertificate>,
    ) -> Result<(), SetupError> {
        self.certificates = match (certificate, self.certificates.take()) {
            (None, _) => None,
            (Some(certificate), Some((config, _))) => Some((config, certificate.into_library())),
            (Some(certificate), None) => {
                let config = builder(&self.limits, Method::Certificate).build();
                let config = Arc::new(config.map_err(library)?);
                Some((config, certificate.into_library()))
            }
        };
        self.offered.certificates = self.certificates.is_some();
        Ok(())
    }
}

fn builder(limits: &Limits, method: Method) -> ConfigBuilder {
    Config::builder()
        .with_crypto_provider(provider::server())
        .mtu(limits.datagram(method))
        .flight_start_rto(limits.first_repetition)
        .flight_retries(REPETITIONS)
        .handshake_timeout(limits.handshake_timeout)
        .max_queue_rx(MOST_WAITING)
        .max_queue_tx(MOST_UNSENT)
        .dtls13_cipher_suites(&[])
}

fn library(error: dimpl::Error) -> SetupError {
    SetupError::Library(error.to_string())
}
