//! Cookies that prove addresses (RFC 6347 §4.2.1), without state for them.

use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use dimpl::crypto::rust_crypto;

use super::client_hello::ClientHello;

/// Bytes of a cookie. The library accepts no other length.
pub(super) const COOKIE: usize = 32;

/// How long a key makes cookies. They are valid under the key after it too: for 30 to 60 seconds. A ClientHello and its
/// repetition are one round trip apart, a few seconds in a slow network of several hops.
const KEY_LIFETIME: Duration = Duration::from_secs(30);

/// What a ClientHello proves of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It carries no cookie.
    Absent,
    /// Its cookie is of another address or another ClientHello, has expired, or is made up.
    Invalid,
    /// Its sender has received a datagram at this address within the last minute.
    Valid,
}

/// Makes and checks cookies. Their keys follow from one secret and the time.
pub(super) struct Cookies {
    secret: [u8; 32],
    start: Instant,
}

impl Cookies {
    /// `secret` must be random. Times before `start` count as `start`.
    pub(super) fn new(secret: [u8; 32], start: Instant) -> Self {
        Self { secret, start }
    }

    /// The cookie of an address and a ClientHello.
    pub(super) fn make(
        &self,
        now: Instant,
        address: &impl Hash,
        hello: &ClientHello<'_>,
    ) -> [u8; COOKIE] {
        tag(&self.key(self.period(now)), address, hello)
    }

    /// Whether the ClientHello has a cookie that this address got.
    pub(super) fn check(
        &self,
        now: Instant,
        address: &impl Hash,
        hello: &ClientHello<'_>,
    ) -> Proof {
        if hello.cookie.is_empty() {
            return Proof::Absent;
        }
        let period = self.period(now);
        let is_valid = [Some(period), period.checked_sub(1)]
            .into_iter()
            .flatten()
            .any(|period| is_equal(&tag(&self.key(period), address, hello), hello.cookie));
        if is_valid {
            Proof::Valid
        } else {
            Proof::Invalid
        }
    }

    fn period(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs() / KEY_LIFETIME.as_secs()
    }

    fn key(&self, period: u64) -> [u8; 32] {
        hmac(&self.secret, &period.to_be_bytes())
    }
}

fn tag(key: &[u8; 32], address: &impl Hash, hello: &ClientHello<'_>) -> [u8; COOKIE] {
    let mut input = Input(Vec::with_capacity(256));
    address.hash(&mut input);
    for part in hello.repeated() {
        // With its length: no two inputs have the same bytes.
        input.write_usize(part.len());
        input.write(part);
    }
    hmac(key, &input.0)
}

/// In the same time, wherever they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && difference == 0
}

fn hmac(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let provider = rust_crypto::default_provider().hmac_provider;
    let tag = provider.hmac_sha256(key, bytes);
    // A default instead would be a cookie that everybody knows.
    tag.expect("the provider has SHA-256, and HMAC takes keys of any length")
}

/// Collects what a value hashes: the bytes that tell it from others.
struct Input(Vec<u8>);

impl Hasher for Input {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
