//! How a device authenticates itself.

use std::fmt;

/// How a device authenticates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// With a key that it shares with the gateway: TLS_PSK_WITH_AES_128_CCM_8 (RFC 6655).
    Psk,
    /// With an X.509 certificate: TLS_ECDHE_ECDSA with AES-GCM (RFC 5289) or ChaCha20-Poly1305 (RFC 7905).
    Certificate,
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Psk => "pre-shared key",
            Self::Certificate => "certificate",
        })
    }
}
