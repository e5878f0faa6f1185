use std::collections::HashSet;

use super::*;
use crate::request::source::Source;
use coap::{Message, Token, option};

const LIFETIMES: Lifetimes = Lifetimes {
    confirmable: Duration::from_secs(247),
    non_confirmable: Duration::from_secs(145),
};
const SECOND: Duration = Duration::from_secs(1);

fn request() -> Request {
    Request {
        peer: Source {
            device: Peer::unauthenticated("[2001:db8::1]:5683".parse().unwrap()),
            owner: Owner::new(1, None),
            facts: coap::PeerFacts::default(),
            session: None,
            local: "[2001:db8::2]:5683".parse().ok(),
        },
        message_type: MessageType::Confirmable,
        message_id: 1,
        token: Token::new(b"ab").unwrap(),
        message: Message::new(code::PUT)
            .with_option(option::URI_PATH, "send")
            .with_option(option::URI_PATH, "kitchen")
            .with_payload("22.5"),
        observes: false,
        wire_bytes: 20,
        multicast: false,
    }
}

fn ids() -> TxnIds {
    TxnIds::new(TxnKey::random())
}

/// The id of a message on which the homeserver acts.
fn sent(ids: &TxnIds, now: Duration, request: &Request) -> String {
    let TxnId { text, received } = ids.of(now, request, LIFETIMES);
    if let Some(received) = received {
        ids.remember(now, received);
    }
    text
}

#[test]
fn a_duplicate_has_the_same_id_for_the_lifetime_of_its_message_id() {
    // Wherever the windows of the time begin.
    for offset in (0..500).step_by(7) {
        let ids = ids();
        let start = Duration::from_secs(100_000 + offset);
        let first = sent(&ids, start, &request());
        let last = start + LIFETIMES.confirmable - Duration::from_millis(1);
        for now in [start + SECOND, start + 93 * SECOND, last] {
            assert_eq!(sent(&ids, now, &request()), first, "{offset}");
        }
        let later = start + LIFETIMES.confirmable;
        assert_ne!(sent(&ids, later, &request()), first, "{offset}");
        assert_ne!(sent(&ids, start + 600 * SECOND, &request()), first);
    }
}

#[test]
fn a_non_confirmable_message_has_the_shorter_lifetime() {
    let (ids, start) = (ids(), Duration::from_secs(7));
    let mut request = request();
    request.message_type = MessageType::NonConfirmable;
    let first = sent(&ids, start, &request);
    assert_eq!(sent(&ids, start + 144 * SECOND, &request), first);
    assert_ne!(sent(&ids, start + 145 * SECOND, &request), first);
}

#[test]
fn anything_else_is_another_message() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 12] = [
        ("address", |request| {
            request
                .peer
                .device
                .id
                .set_ip("2001:db8::3".parse().unwrap())
        }),
        ("port", |request| request.peer.device.id.set_port(5684)),
        ("zone", |request| {
            request.peer.device.id = "[fe80::1%2]:5683".parse().unwrap()
        }),
        ("gateway", |request| request.peer.local = None),
        ("type", |request| {
            request.message_type = MessageType::NonConfirmable
        }),
        ("message ID", |request| request.message_id = 2),
        ("token", |request| request.token = Token::new(b"a").unwrap()),
        ("no token", |request| request.token = Token::default()),
        ("code", |request| request.message.code = code::POST),
        ("payload", |request| request.message.payload.push(b'0')),
        ("option", |request| {
            request.message.push_option(option::ACCEPT, [50])
        }),
        ("border of options", |request| {
            request.message.remove_option(option::URI_PATH);
            request.message.push_option(option::URI_PATH, "sen");
            request.message.push_option(option::URI_PATH, "dkitchen");
        }),
    ];
    let (ids, now) = (ids(), Duration::from_secs(9));
    let mut seen = HashSet::from([sent(&ids, now, &request())]);
    for (what, change) in changes {
        let mut changed = request();
        change(&mut changed);
        assert!(seen.insert(sent(&ids, now, &changed)), "{what}");
    }
}

#[test]
fn a_principal_is_the_same_device_at_every_address_and_no_other_principal() {
    let (ids, now) = (ids(), Duration::from_secs(9));
    let by = |principal: &str, port| {
        let mut request = request();
        request.peer.device.authenticated = true;
        request.peer.device.principal = Some(principal.into());
        request.peer.device.id.set_port(port);
        sent(&ids, now, &request)
    };
    assert_eq!(by("meadow", 1), by("meadow", 2));
    assert_ne!(by("meadow", 1), by("kitchen", 1));
    assert_ne!(by("meadow", 5683), sent(&ids, now, &request()));
}

#[test]
fn a_restarted_gateway_with_the_same_key_makes_the_same_id_within_a_window() {
    let key = TxnKey::random();
    let copy = TxnKey::of(*key.bytes());
    let window = LIFETIMES.confirmable;
    let start = 400 * window + SECOND;
    let first = sent(&TxnIds::new(key), start, &request());
    let restarted = TxnIds::new(copy);
    assert_eq!(sent(&restarted, start + 93 * SECOND, &request()), first);
    let restarted = ids();
    assert_ne!(sent(&restarted, start + SECOND, &request()), first);
}

#[test]
fn a_message_that_was_forgotten_never_has_the_id_of_one_before_its_lifetime() {
    let key = TxnKey::random();
    for offset in (0..500).step_by(7) {
        let start = Duration::from_secs(1000 + offset);
        let first = sent(&TxnIds::new(TxnKey::of(*key.bytes())), start, &request());
        let restarted = TxnIds::new(TxnKey::of(*key.bytes()));
        let later = start + LIFETIMES.confirmable;
        assert_ne!(sent(&restarted, later, &request()), first, "{offset}");
    }
}

#[test]
fn a_safe_request_has_a_random_id_which_never_repeats() {
    let ids = ids();
    let mut request = request();
    request.message.code = code::GET;
    let id = || sent(&ids, SECOND, &request);
    let made: HashSet<String> = (0..10 * BATCH).map(|_| id()).collect();
    assert_eq!(made.len(), 10 * BATCH);
}

#[test]
fn every_id_is_32_hexadecimal_digits() {
    let ids = ids();
    for method in [code::GET, code::PUT] {
        let mut request = request();
        request.message.code = method;
        let id = ids.of(SECOND, &request, LIFETIMES).text;
        assert_eq!(id.len(), 32);
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[test]
fn the_clock_goes_forward() {
    let before = since_boot();
    assert!(before > Duration::ZERO && since_boot() >= before);
}
