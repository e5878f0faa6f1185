//! Echo (RFC 9175 §2): a value that only its receiver can send back. It holds the time and a keyed hash of time and
//! peer, so that the endpoint remembers nothing of what it has asked.

use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::peer::Peer;
use crate::secret::Secret;

/// How long a value may be on its way: a request, four retransmissions and a slow link.
const FRESH: Duration = Duration::from_secs(60);
/// Seconds in 4 bytes, hash in 8.
const LENGTH: usize = 12;

/// Makes and recognises values.
pub(super) struct Echo {
    /// When the first value was made.
    began: Option<Instant>,
    secret: Secret,
}

impl Echo {
    pub(super) fn new(secret: Secret) -> Self {
        Self {
            began: None,
            secret,
        }
    }

    fn at<P: Hash>(&self, peer: &Peer<P>, seconds: u32) -> [u8; LENGTH] {
        let mut value = [0; LENGTH];
        let hash = self.secret.hash(("echo", peer.hash, &peer.id, seconds));
        value[..4].copy_from_slice(&seconds.to_be_bytes());
        value[4..].copy_from_slice(&hash.to_be_bytes());
        value
    }

    /// The value for this peer now.
    pub(super) fn value<P: Hash>(&mut self, now: Instant, peer: &Peer<P>) -> [u8; LENGTH] {
        let began = *self.began.get_or_insert(now);
        self.at(peer, seconds(began, now))
    }

    /// Whether this peer was sent this value within the last minute.
    pub(super) fn is_fresh<P: Hash>(&self, now: Instant, peer: &Peer<P>, value: &[u8]) -> bool {
        let made = value.first_chunk().map(|first| u32::from_be_bytes(*first));
        let Some((began, made)) = self.began.zip(made) else {
            return false;
        };
        let age = seconds(began, now).checked_sub(made);
        age.is_some_and(|age| u64::from(age) <= FRESH.as_secs()) && self.at(peer, made) == *value
    }
}

/// Wraps after 136 years.
fn seconds(began: Instant, now: Instant) -> u32 {
    now.saturating_duration_since(began).as_secs() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::test_peer;

    #[test]
    fn a_value_is_good_for_its_peer_and_for_a_minute() {
        let start = Instant::now();
        let mut echo = Echo::new(Secret::new([1; 16]));
        let (now, peer) = (start + Duration::from_secs(5), test_peer(1));
        echo.value(start, &test_peer(3));
        let value = echo.value(now, &peer);
        assert!(echo.is_fresh(now + FRESH, &peer, &value));
        assert!(!echo.is_fresh(now + FRESH + Duration::from_secs(1), &peer, &value));
        assert!(!echo.is_fresh(now, &test_peer(2), &value));
        assert!(!echo.is_fresh(start, &peer, &value), "of the future");
        for length in 0..LENGTH {
            assert!(!echo.is_fresh(now, &peer, &value[..length]));
        }
        for byte in 0..LENGTH {
            let mut other = value;
            other[byte] ^= 1;
            assert!(!echo.is_fresh(now, &peer, &other), "byte {byte}");
        }
        let mut restarted = Echo::new(Secret::new([2; 16]));
        assert!(
            !restarted.is_fresh(now, &peer, &value),
            "nothing was asked yet"
        );
        restarted.value(start, &peer);
        assert!(!restarted.is_fresh(now, &peer, &value));
    }
}
