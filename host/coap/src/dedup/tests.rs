//! The cache alone.

use std::time::Duration;

use super::*;
use crate::message::MessageType::{Confirmable, NonConfirmable};
use crate::peer::test_peer;

const LIFETIME: Duration = Duration::from_secs(247);

/// A cache and its response of 100 bytes.
struct Cache {
    dedup: DedupCache<u32>,
    start: Instant,
}

impl Cache {
    fn bounded(per_peer: usize, budget: usize) -> Self {
        let limits = Limits {
            retained_responses_per_peer: per_peer,
            retained_response_bytes: budget,
            ..Limits::default()
        };
        Self {
            dedup: DedupCache::new(&limits),
            start: Instant::now(),
        }
    }

    /// Room for so many successes.
    fn of(successes: usize) -> Self {
        let piece = RetainedResponses::<u32>::amount(&vec![0; 100]).bytes;
        Self::bounded(1000, (successes * piece * ERRORS).div_ceil(ERRORS - 1))
    }

    fn retain(&mut self, peer: Peer<u32>, message_id: u16, is_error: bool) {
        let response = Retained {
            peer,
            key: key(message_id),
            observation: None,
            is_protected: false,
            expires: self.start + LIFETIME,
            bytes: vec![7; 100],
        };
        self.dedup.retain(response, is_error);
    }

    fn has(&self, peer: Peer<u32>, message_id: u16) -> bool {
        let found = self.dedup.find(self.start, &peer, &key(message_id));
        matches!(found, Found::Same(response) if response.bytes == [7; 100])
    }
}

fn key(message_id: u16) -> MessageKey {
    MessageKey {
        message_type: Confirmable,
        message_id,
        digest: 0,
    }
}

fn of_host(host: u64, peer: u32) -> Peer<u32> {
    Peer {
        owner: Owner::new(host, None),
        ..test_peer(peer)
    }
}

fn of_network(network: u64, peer: u32) -> Peer<u32> {
    Peer {
        owner: Owner::new(test_peer(peer).hash, Some(network)),
        ..test_peer(peer)
    }
}

#[test]
fn other_bytes_with_a_message_id_are_another_message() {
    let mut cache = Cache::bounded(64, 1 << 20);
    cache.retain(test_peer(1), 7, false);
    let other = MessageKey {
        digest: 1,
        ..key(7)
    };
    let found = |cache: &Cache, key| match cache.dedup.find(cache.start, &test_peer(1), &key) {
        Found::Nothing => "nothing",
        Found::Same(_) => "same",
        Found::OtherWithItsId => "other",
    };
    assert_eq!(found(&cache, other), "other");
    cache.dedup.retain(
        Retained {
            peer: test_peer(1),
            key: other,
            observation: None,
            is_protected: false,
            expires: cache.start + LIFETIME,
            bytes: vec![8; 100],
        },
        true,
    );
    let both = [key(7), other, key(8)].map(|key| found(&cache, key));
    assert_eq!(both, ["same", "same", "nothing"]);
}

#[test]
fn a_response_is_found_until_its_message_id_may_come_again() {
    for is_error in [false, true] {
        let mut cache = Cache::bounded(64, 1 << 20);
        let start = cache.start;
        cache.retain(test_peer(1), 7, is_error);
        let found = |now, peer, message_type, id| {
            let key = MessageKey {
                message_type,
                ..key(id)
            };
            let found = cache.dedup.find(now, &test_peer(peer), &key);
            matches!(found, Found::Same(_))
        };
        let last = start + LIFETIME - Duration::from_millis(1);
        assert!(found(last, 1, Confirmable, 7));
        assert!(!found(last, 2, Confirmable, 7));
        assert!(!found(last, 1, NonConfirmable, 7));
        assert!(!found(last, 1, Confirmable, 8));
        assert!(!found(start + LIFETIME, 1, Confirmable, 7));
        cache.dedup.expire(start + LIFETIME);
        assert_eq!(cache.dedup.len(), 0);
        assert_eq!(cache.dedup.held(test_peer(1).owner), Held::default());
    }
}

#[test]
fn the_oldest_of_a_peer_leaves_and_other_peers_keep_theirs() {
    let mut cache = Cache::bounded(2, 1 << 20);
    cache.retain(test_peer(9), 0, false);
    (0..3).for_each(|id| cache.retain(test_peer(1), id, false));
    assert!(!cache.has(test_peer(1), 0) && cache.has(test_peer(1), 1));
    assert!(cache.has(test_peer(9), 0));
    assert_eq!((cache.dedup.len(), cache.dedup.evicted()), (3, 1));
}

#[test]
fn the_oldest_of_all_leaves_when_hosts_with_little_each_use_up_the_bytes() {
    let mut cache = Cache::of(30);
    (0..50).for_each(|peer| cache.retain(test_peer(peer), 0, false));
    let kept: Vec<u32> = (0..50)
        .filter(|peer| cache.has(test_peer(*peer), 0))
        .collect();
    assert_eq!(kept, (20..50).collect::<Vec<_>>());
    cache.dedup.expire(cache.start + LIFETIME);
    assert_eq!(cache.dedup.len(), 0);
}

#[test]
fn errors_displace_no_success() {
    let mut cache = Cache::of(100);
    cache.retain(of_host(1, 1), 0, false);
    cache.retain(of_host(2, 2), 0, true);
    (0..10_000).for_each(|id| cache.retain(of_host(3, id), id as u16, true));
    assert!(cache.has(of_host(1, 1), 0));
    assert!(
        cache.has(of_host(2, 2), 0),
        "an error of a quiet host stays"
    );
    assert!(cache.has(of_host(3, 9_999), 9_999));
}

#[test]
fn a_host_or_a_network_that_floods_displaces_its_own() {
    for flood in [of_host, of_network] {
        let mut cache = Cache::of(100);
        (0..20).for_each(|peer| cache.retain(of_host(peer.into(), peer), 0, false));
        (100..2_000).for_each(|peer| cache.retain(flood(1_000, peer), 0, false));
        // Others come while the room is full.
        (20..40).for_each(|peer| cache.retain(of_host(peer.into(), peer), 0, false));
        assert!((0..40).all(|peer| cache.has(of_host(peer.into(), peer), 0)));
        assert_eq!(cache.dedup.len(), 100, "a host may use what no other needs");
        assert!(cache.has(flood(1_000, 1_999), 0));
    }
}

#[test]
fn more_flooding_hosts_than_there_are_shares_displace_each_other() {
    let mut cache = Cache::of(200);
    (0..10).for_each(|peer| cache.retain(of_host(peer.into(), peer), 0, false));
    for id in 0..1_000 {
        (100..120).for_each(|host| cache.retain(of_host(host, host as u32), id, false));
    }
    assert!((0..10).all(|peer| cache.has(of_host(peer.into(), peer), 0)));
    assert_eq!(cache.dedup.len(), 200);
}

#[test]
fn room_for_something_else_costs_the_own_errors_first() {
    let mut cache = Cache::of(100);
    cache.retain(of_host(1, 1), 0, false);
    cache.retain(of_host(1, 1), 1, true);
    cache.retain(of_host(2, 2), 0, true);
    let owner = of_host(1, 1).owner;
    assert!(cache.dedup.make_room(owner, Refused::Host));
    assert!(cache.has(of_host(1, 1), 0) && !cache.has(of_host(1, 1), 1));
    assert!(cache.dedup.make_room(owner, Refused::Host));
    assert!(!cache.dedup.make_room(owner, Refused::Network));
    assert!(cache.has(of_host(2, 2), 0));
    assert!(cache.dedup.make_room(owner, Refused::InAll));
    assert_eq!(cache.dedup.len(), 0);
}
