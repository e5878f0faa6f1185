//! Why a handshake was refused, for the operator. The device learns less: see each alert in the manual of TLS.

use std::sync::Arc;

use super::certificate_checks::CertificateRefusal;
use super::method::Method;

/// Why a handshake was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The device speaks another version of DTLS. Alert 70.
    #[error("the device does not speak DTLS 1.2; set its TLS library to version 1.2")]
    Version,
    /// No cipher suite in common. Alert 40.
    #[error(
        "the device offers none of the cipher suites that are configured: PSK_AES128_CCM_8 for keys, ECDHE_ECDSA with \
         AES-GCM or ChaCha20-Poly1305 for certificates; enable one in the device (OpenSSL 3: @SECLEVEL=0 for CCM_8)"
    )]
    NoCommonSuite,
    /// No extended master secret (RFC 7627), which the gateway requires. Alert 40.
    #[error(
        "the device does not offer the extended master secret (RFC 7627); enable it in the device's TLS library"
    )]
    NoExtendedMasterSecret,
    /// No key for this identity. Alert 51.
    #[error(
        "no device is enrolled with the PSK identity {0:?}; enrol it, or correct the identity in the device"
    )]
    UnknownIdentity(Identity),
    /// The key of this device is another one. Alert 51.
    #[error(
        "the device {0:?} used a wrong key; write the enrolled key into the device, or rotate it"
    )]
    WrongKey(Arc<str>),
    /// The certificate is not accepted. Alert 42.
    #[error("the device's certificate is refused: {0}")]
    Certificate(#[from] CertificateRefusal),
    /// The host, its network or all have taken their share of pending handshakes: the device repeats its ClientHello.
    /// Or its handshake has left for one of another host or network, which had fewer: alert 80.
    #[error("too many handshakes are pending: {0}")]
    PendingHandshakes(share::Refused),
    /// The host or all have taken their share of sessions. Alert 80.
    #[error("too many sessions: {0}")]
    Sessions(share::Refused),
    /// The device has sent more bytes than a handshake can have. Alert 40.
    #[error(
        "the handshake has more than {limit} bytes; shorten the device's certificate chain to its own certificate"
    )]
    TooManyBytes {
        /// The bound.
        limit: usize,
    },
    /// The device has not finished in time.
    #[error(
        "the {method} handshake was not finished in time; check the radio link, or whether the device sleeps"
    )]
    TimedOut {
        /// How the device wanted to authenticate itself.
        method: Method,
    },
    /// The device ended the handshake with this alert (RFC 5246 §7.2).
    #[error(
        "the device ended the handshake with alert {0}; 42, 46 and 48 mean that it does not trust the gateway's \
         certificate, 51 that its key is another one"
    )]
    Alert(u8),
    /// The messages do not follow the protocol. Alert 40.
    #[error("the {method} handshake failed: {cause}")]
    Protocol {
        /// How the device wanted to authenticate itself.
        method: Method,
        /// In the words of the library.
        cause: String,
    },
}

/// A PSK identity that a device sent: any bytes, shown escaped and cut.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity(Box<[u8]>);

impl Identity {
    /// Bytes that are kept. Identities have at most 32 bytes in small stacks; RFC 4279 §5.3 asks for 128.
    const KEPT: usize = 128;

    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes[..bytes.len().min(Self::KEPT)].into())
    }

    /// The first 128 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}
