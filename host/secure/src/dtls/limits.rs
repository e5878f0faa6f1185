//! What the sessions of all devices may take, and why.

use std::time::Duration;

use share::Bounds;

use super::method::Method;

/// Bounds of a server. Each has its reason at its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions in all. One takes at most 8 KiB with a key and 12 KiB with a certificate, so the default of 10,000
    /// takes about 80 MB when all are in use, and nothing before. One host may have an eighth of it, at least 64: the
    /// devices behind one border router with IPv4.
    pub sessions: usize,
    /// Sessions of one principal; the longest unused one makes room. 4 by default: a device has one, and a former one
    /// for each address that it came from before its network changed it.
    pub sessions_per_principal: usize,
    /// Handshakes that are not complete, in all. 256 by default, about 2 MB. One host and one network (an IPv4 /24, an
    /// IPv6 /64) may have an eighth of it, at least 32: a building full of devices after a power cut, of which more try
    /// again after a second. When all are taken, the oldest one of the network that has most makes room for a network
    /// that has less.
    pub handshakes: usize,
    /// How long a handshake may take. 45 s by default: four repetitions after 2, 4, 8 and 16 s and the round trip of a
    /// slow network of several hops.
    pub handshake_timeout: Duration,
    /// The first repetition of a flight; each later one after twice the time. 2 s by default: RFC 6347 §4.2.4.1 has 1
    /// s, and RFC 7925 §11 asks for more in slow networks.
    pub first_repetition: Duration,
    /// A session without a message for so long is closed. 24 h by default: a device that reports daily keeps it.
    pub session_idle: Duration,
    /// Bytes of a datagram toward a device with a key. 200 by default: the buffer of tinydtls in RIOT. At least 128.
    pub psk_datagram: usize,
    /// Bytes of a datagram toward a device with a certificate. 1,232 by default: the smallest IPv6 packet (1,280)
    /// without the headers of IPv6 and UDP. At least 128, at most 2,048.
    pub certificate_datagram: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 10_000,
            sessions_per_principal: 4,
            handshakes: 256,
            handshake_timeout: Duration::from_secs(45),
            first_repetition: Duration::from_secs(2),
            session_idle: Duration::from_secs(24 * 60 * 60),
            psk_datagram: 200,
            certificate_datagram: 1_232,
        }
    }
}

impl Limits {
    /// The smallest datagram that the library makes handshakes with, and a little more.
    const SMALLEST_DATAGRAM: usize = 128;

    pub(super) fn sessions(&self) -> Bounds {
        Bounds::of_pieces(self.sessions).at_least(64)
    }

    pub(super) fn handshakes(&self) -> Bounds {
        Bounds::of_pieces(self.handshakes).at_least(32)
    }

    /// Ten years are for ever, and can be added to any time.
    pub(super) fn session_idle(&self) -> Duration {
        self.session_idle
            .min(Duration::from_secs(10 * 365 * 24 * 60 * 60))
    }

    pub(super) fn datagram(&self, method: Method) -> usize {
        let bytes = match method {
            Method::Psk => self.psk_datagram,
            Method::Certificate => self.certificate_datagram,
        };
        bytes.clamp(Self::SMALLEST_DATAGRAM, super::connection::LARGEST)
    }

    /// Bytes that a device may send within a handshake. With a key it sends about 300, with a certificate of its own
    /// about 1,000, more with a chain; and all of it up to five times. The library keeps what it cannot use yet.
    pub(super) fn handshake_bytes(method: Method) -> usize {
        match method {
            Method::Psk => 4 * 1_024,
            Method::Certificate => 16 * 1_024,
        }
    }
}
