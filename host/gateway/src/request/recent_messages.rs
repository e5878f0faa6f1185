//! When the messages of the last minutes were first received, for those that made the homeserver act.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use share::{Amount, Bounds, Owner, Shares};

use super::recent_file::{Digest, Remembered};

/// Messages in all: those of four minutes at 66 per second. With their tables they take 2 MB, a quarter of what the
/// deduplication cache has. A message that finds no room is recognised all the same, unless its duplicate comes in the
/// next window of the time.
const MESSAGES: usize = 1 << 14;
const MESSAGE: Amount = Amount::piece(0);
/// Of messages of before a restart: the hashes that name hosts were others.
const RESTORED: Owner = Owner {
    host: 0,
    network: None,
};

/// A message that made the homeserver act.
struct Recent {
    digest: Digest,
    first: Duration,
    expires: Duration,
    owner: Owner,
}

/// The times of the messages that can still be repeated.
pub(super) struct RecentMessages {
    first_received: HashMap<Digest, Duration>,
    in_order: VecDeque<Recent>,
    shares: Shares,
}

impl Default for RecentMessages {
    fn default() -> Self {
        Self {
            first_received: HashMap::new(),
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::of_pieces(MESSAGES)),
        }
    }
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

    /// Messages of before a restart, the oldest first: half of the room, and no host's share.
    pub(super) fn restore(&mut self, now: Duration, before: &[Remembered]) {
        let newest = before.len().saturating_sub(MESSAGES / 2);
        for Remembered {
            digest,
            first,
            lifetime,
        } in &before[newest..]
        {
            // After a reboot its times would be later than now.
            if *first <= now && now < *first + *lifetime {
                self.shares.add(RESTORED, MESSAGE);
                self.insert(*digest, *first, *lifetime, RESTORED);
            }
        }
    }

    /// Remembers a message for its lifetime, unless its host has its share already. Returns whether it is new.
    pub(super) fn remember(
        &mut self,
        now: Duration,
        digest: Digest,
        first: Duration,
        lifetime: Duration,
        owner: Owner,
    ) -> bool {
        self.expire(now);
        if self.first_received.get(&digest) == Some(&first) {
            return false;
        }
        if self.shares.take(owner, MESSAGE).is_err() {
            return false;
        }
        self.insert(digest, first, lifetime, owner);
        true
    }

    fn insert(&mut self, digest: Digest, first: Duration, lifetime: Duration, owner: Owner) {
        self.first_received.insert(digest, first);
        self.in_order.push_back(Recent {
            digest,
            first,
            expires: first + lifetime,
            owner,
        });
    }

    fn expire(&mut self, now: Duration) {
        while let Some(oldest) = self.in_order.pop_front_if(|oldest| oldest.expires <= now) {
            let Recent {
                digest,
                first,
                owner,
                ..
            } = oldest;
            // A later message of this digest has an entry of its own.
            if self.first_received.get(&digest) == Some(&first) {
                self.first_received.remove(&digest);
            }
            self.shares.give_back(owner, MESSAGE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(247);

    fn host(number: u64) -> Owner {
        Owner::new(number, None)
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
        assert!(recent.first_received.is_empty() && recent.shares.in_all() == Amount::default());
    }

    /// On a socket of both families, IPv4 devices have addresses in one /64: ::ffff:0:0/96.
    #[test]
    fn ipv4_devices_on_an_ipv6_socket_do_not_share_what_one_of_them_may_have() {
        let endpoint: coap::Endpoint<std::net::SocketAddr> =
            coap::Endpoint::new(coap::Limits::default(), [1; 16]);
        let owner = |address: &str| endpoint.owner_of(&address.parse().unwrap());
        let (flooding, other) = ("[::ffff:192.0.2.1]:5683", "[::ffff:192.0.2.2]:5683");
        assert_eq!(owner(flooding), owner("192.0.2.1:1"));
        let mut recent = RecentMessages::default();
        let now = Duration::from_secs(5);
        for number in 1..=MESSAGES {
            recent.remember(now, digest(number), now, LIFETIME, owner(flooding));
        }
        recent.remember(now, digest(0), now, LIFETIME, owner(other));
        assert_eq!(recent.find(now, &digest(0), LIFETIME), Some(now));
    }

    #[test]
    fn messages_of_before_a_restart_are_recognised_for_the_rest_of_their_lifetime() {
        let mut recent = RecentMessages::default();
        let at = Duration::from_secs;
        let message = |number, first| Remembered {
            digest: digest(number),
            first: at(first),
            lifetime: LIFETIME,
        };
        let before = [message(1, 10), message(2, 300), message(3, 9000)];
        recent.restore(at(400), &before);
        assert_eq!(recent.find(at(400), &digest(1), LIFETIME), None, "over");
        assert_eq!(recent.find(at(400), &digest(2), LIFETIME), Some(at(300)));
        assert_eq!(recent.find(at(400), &digest(3), LIFETIME), None, "rebooted");
        assert!(!recent.remember(at(400), digest(2), at(300), LIFETIME, host(1)));
        recent.expire(at(600));
        assert!(recent.first_received.is_empty() && recent.shares.in_all() == Amount::default());
    }

    #[test]
    fn messages_of_before_a_restart_leave_half_of_the_room() {
        let mut recent = RecentMessages::default();
        let now = Duration::from_secs(5);
        let before: Vec<_> = (0..MESSAGES)
            .map(|number| Remembered {
                digest: digest(number),
                first: now,
                lifetime: LIFETIME,
            })
            .collect();
        recent.restore(now, &before);
        assert_eq!(recent.in_order.len(), MESSAGES / 2);
        assert_eq!(recent.find(now, &digest(MESSAGES - 1), LIFETIME), Some(now));
        assert!(recent.remember(now, digest(MESSAGES), now, LIFETIME, host(1)));
    }

    #[test]
    fn a_host_has_an_eighth_and_the_others_keep_theirs() {
        let mut recent = RecentMessages::default();
        let now = Duration::from_secs(5);
        recent.remember(now, digest(0), now, LIFETIME, host(9));
        for number in 1..=MESSAGES {
            recent.remember(now, digest(number), now, LIFETIME, host(1));
        }
        assert_eq!(recent.in_order.len(), MESSAGES / 8 + 1);
        assert_eq!(recent.find(now, &digest(0), LIFETIME), Some(now));
        for number in MESSAGES..4 * MESSAGES {
            let of = host(2 + (number % 64) as u64);
            recent.remember(now, digest(number), now, LIFETIME, of);
        }
        assert_eq!(recent.in_order.len(), MESSAGES);
        assert_eq!(recent.find(now, &digest(0), LIFETIME), Some(now));
        recent.expire(now + LIFETIME);
        assert!(recent.first_received.is_empty() && recent.shares.in_all() == Amount::default());
    }
}
