//! When the messages of the last minutes were first received, for those that made the homeserver act.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// The first half of a message's hash.
pub(super) type Digest = [u8; 16];

/// Messages in all: those of four minutes at 66 per second. With their tables they take 2 MB, a quarter of what the
/// deduplication cache has. A message that finds no room is recognised all the same, unless its duplicate comes in the
/// next window of the time.
const MESSAGES: usize = 1 << 14;
/// Messages of one host: an eighth.
const OF_HOST: usize = MESSAGES / 8;

/// The sender of a message: an IPv4 address or an IPv6 /64, of which one host can use every address.
pub(super) type Host = IpAddr;

/// The host at an address.
pub(super) fn host_of(address: IpAddr) -> Host {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

/// A message that made the homeserver act.
struct Recent {
    digest: Digest,
    first: Duration,
    expires: Duration,
    host: Host,
}

/// The times of the messages that can still be repeated.
#[derive(Default)]
pub(super) struct RecentMessages {
    first_received: HashMap<Digest, Duration>,
    in_order: VecDeque<Recent>,
    of_host: HashMap<Host, usize>,
}

impl RecentMessages {
    /// When this message was first received, if that is less than `lifetime` ago.
    pub(super) fn find(
        &self,
        now: Duration,
        digest: &Digest,
        lifetime: Duration,
    ) -> Option<Duration> {
        let first = self.first_received.get(digest).copied()?;
        (now < first + lifetime).then_some(first)
    }

    /// Remembers a message for its lifetime, unless its host has its share already.
    pub(super) fn remember(
        &mut self,
        now: Duration,
        digest: Digest,
        first: Duration,
        lifetime: Duration,
        host: Host,
    ) {
        self.expire(now);
        if self.first_received.get(&digest) == Some(&first) {
            return;
        }
        let of_host = self.of_host.entry(host).or_default();
        if self.in_order.len() >= MESSAGES || *of_host >= OF_HOST {
            if *of_host == 0 {
                self.of_host.remove(&host);
            }
            return;
        }
        *of_host += 1;
        self.first_received.insert(digest, first);
        self.in_order.push_back(Recent {
            digest,
            first,
            expires: first + lifetime,
            host,
        });
    }

    fn expire(&mut self, now: Duration) {
        while let Some(oldest) = self.in_order.pop_front_if(|oldest| oldest.expires <= now) {
            let Recent {
                digest,
                first,
                host,
                ..
            } = oldest;
            // A later message of this digest has an entry of its own.
            if self.first_received.get(&digest) == Some(&first) {
                self.first_received.remove(&digest);
            }
            if let Some(of_host) = self.of_host.get_mut(&host) {
                *of_host -= 1;
                if *of_host == 0 {
                    self.of_host.remove(&host);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(247);

    fn host(number: u16) -> Host {
        host_of(IpAddr::from([0xfd00, 0, 0, number, 1, 2, 3, 4]))
    }

    fn digest(number: usize) -> Digest {
        (number as u128).to_be_bytes()
    }

    #[test]
    fn a_message_is_found_for_its_lifetime_and_leaves_nothing() {
        let mut recent = RecentMessages::default();
        let start = Duration::from_secs(1000);
        recent.remember(start, digest(1), start, LIFETIME, host(1));
        let last = start + LIFETIME - Duration::from_millis(1);
        assert_eq!(recent.find(last, &digest(1), LIFETIME), Some(start));
        assert_eq!(recent.find(last, &digest(2), LIFETIME), None);
        let over = start + LIFETIME;
        assert_eq!(recent.find(over, &digest(1), LIFETIME), None);
        // The same bytes as a new message, which outlives the entry of the former one.
        recent.remember(over, digest(1), over, LIFETIME, host(1));
        assert_eq!(recent.find(over, &digest(1), LIFETIME), Some(over));
        recent.expire(over + LIFETIME);
        assert!(recent.first_received.is_empty() && recent.of_host.is_empty());
    }

    #[test]
    fn a_host_has_an_eighth_and_the_others_keep_theirs() {
        let mut recent = RecentMessages::default();
        let now = Duration::from_secs(5);
        recent.remember(now, digest(0), now, LIFETIME, host(9));
        for number in 1..=MESSAGES {
            recent.remember(now, digest(number), now, LIFETIME, host(1));
        }
        assert_eq!(recent.in_order.len(), OF_HOST + 1);
        assert_eq!(recent.find(now, &digest(0), LIFETIME), Some(now));
        for number in MESSAGES..4 * MESSAGES {
            let of = host(2 + (number % 64) as u16);
            recent.remember(now, digest(number), now, LIFETIME, of);
        }
        assert_eq!(recent.in_order.len(), MESSAGES);
        assert_eq!(recent.find(now, &digest(0), LIFETIME), Some(now));
        recent.expire(now + LIFETIME);
        assert!(recent.first_received.is_empty() && recent.of_host.is_empty());
    }

    #[test]
    fn a_host_is_an_ipv4_address_or_an_ipv6_network_of_64_bits() {
        let of = |text: &str| host_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
