//! The parser of ClientHellos and the cookie front: nothing is kept, and nobody gets more than it sent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::dtls::client_hello::{ClientHello, HelloError};
use crate::dtls::cookie::Cookies;
use crate::dtls::front::{Offered, Verdict, judge};
use crate::dtls::method::Method;
use crate::dtls::record::{self, Alert};
use crate::dtls::refusal::Refusal;

const ALL: Offered = Offered {
    psk: true,
    certificates: true,
};

/// Extended master secret.
const EMS: &[u8] = &[0, 23, 0, 0];

/// A ClientHello of these suites, extensions and cookie.
fn hello(suites: &[u16], extensions: &[u8], cookie: &[u8], message_seq: u8) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend([7; 32]);
    body.push(0);
    body.push(cookie.len() as u8);
    body.extend(cookie);
    body.extend((suites.len() as u16 * 2).to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    if !extensions.is_empty() {
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
    }
    let length = &(body.len() as u32).to_be_bytes()[1..];
    let header = [&[1], length, &[0, message_seq, 0, 0, 0], length].concat();
    record::plain(
        record::HANDSHAKE,
        u64::from(message_seq),
        &[header, body].concat(),
    )
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

struct Front {
    cookies: Cookies,
    start: Instant,
}

impl Front {
    fn new() -> Self {
        let start = Instant::now();
        let cookies = Cookies::new([3; 32], start);
        Self { cookies, start }
    }

    fn judge<'a>(&self, second: u64, from: &str, datagram: &'a [u8]) -> Verdict<'a> {
        let now = self.start + Duration::from_secs(second);
        judge(now, &self.cookies, ALL, &address(from), datagram)
    }

    fn cookie(&self, second: u64, from: &str, datagram: &[u8]) -> Vec<u8> {
        match self.judge(second, from, datagram) {
            Verdict::Verify { reply, .. } => {
                assert!(reply.len() <= datagram.len());
                reply[reply.len() - 32..].to_vec()
            }
            other => panic!("{other:?}"),
        }
    }
}

const DEVICE: &str = "192.0.2.1:5000";

#[test]
fn a_cookie_proves_its_address_for_30_to_60_seconds() {
    let front = Front::new();
    let first = hello(&[0xc0a8], EMS, &[], 0);
    let cookie = front.cookie(29, DEVICE, &first);
    let second = hello(&[0xc0a8], EMS, &cookie, 1);
    let is_proven = |second_of_day, from| {
        matches!(
            front.judge(second_of_day, from, &second),
            Verdict::Proceed(_, Method::Psk)
        )
    };
    assert!(is_proven(29, DEVICE) && is_proven(59, DEVICE));
    assert!(!is_proven(60, DEVICE), "expired");
    assert!(!is_proven(29, "192.0.2.1:5001") && !is_proven(29, "192.0.2.2:5000"));
}

#[test]
fn a_cookie_of_another_client_hello_or_with_one_bit_changed_is_forged() {
    let front = Front::new();
    let cookie = front.cookie(0, DEVICE, &hello(&[0xc0a8], EMS, &[], 0));
    let is_forged = |datagram: &[u8]| {
        matches!(
            front.judge(0, DEVICE, datagram),
            Verdict::Verify {
                is_forged: true,
                ..
            }
        )
    };
    assert!(is_forged(&hello(&[0xc0a8, 0xc02b], EMS, &cookie, 1)));
    for bit in 0..cookie.len() * 8 {
        let mut changed = cookie.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(is_forged(&hello(&[0xc0a8], EMS, &changed, 1)));
    }
    for length in 1..32 {
        assert!(is_forged(&hello(&[0xc0a8], EMS, &cookie[..length], 1)));
    }
    let other_secret = Cookies::new([4; 32], front.start);
    let second = hello(&[0xc0a8], EMS, &cookie, 1);
    let verdict = judge(front.start, &other_secret, ALL, &address(DEVICE), &second);
    assert!(matches!(
        verdict,
        Verdict::Verify {
            is_forged: true,
            ..
        }
    ));
}

#[test]
fn the_smallest_client_hello_is_not_shorter_than_its_reply() {
    let front = Front::new();
    assert_eq!(
        front
            .cookie(0, DEVICE, &hello(&[0xc0a8], &[], &[], 0))
            .len(),
        32
    );
}

#[test]
fn an_unsuitable_client_hello_gets_its_alert_only_with_a_cookie() {
    let front = Front::new();
    let mut old = hello(&[0xc0a8], EMS, &[], 0);
    old[record::HEADER + 13] = 0xff;
    let cases = [
        (
            hello(&[0xc0ae], EMS, &[], 0),
            Alert::HandshakeFailure,
            Refusal::NoCommonSuite,
        ),
        (
            hello(&[0xc0a8], &[], &[], 0),
            Alert::HandshakeFailure,
            Refusal::NoExtendedMasterSecret,
        ),
        (old, Alert::ProtocolVersion, Refusal::Version),
    ];
    for (first, alert, refusal) in cases {
        let cookie = front.cookie(0, DEVICE, &first);
        // The cookie after its empty length, and the three lengths around it.
        let at = record::HEADER + 12 + 2 + 32 + 1;
        let mut second = first.clone();
        second[at] = 32;
        second.splice(at + 1..at + 1, cookie);
        for length in [12, record::HEADER + 3, record::HEADER + 11] {
            second[length] += 32;
        }
        assert_eq!(
            front.judge(0, DEVICE, &second),
            Verdict::Refuse(alert, 0, refusal)
        );
    }
}

#[test]
fn a_fragment_is_dropped_as_one() {
    let front = Front::new();
    let whole = hello(&[0xc0a8], EMS, &[], 0);
    let mut later = whole.clone();
    later[record::HEADER + 8] = 1;
    let mut shorter = whole.clone();
    shorter[record::HEADER + 11] -= 1;
    for fragment in [later, shorter] {
        assert_eq!(
            front.judge(0, DEVICE, &fragment),
            Verdict::Drop(HelloError::Fragmented)
        );
    }
}

#[test]
fn a_client_hello_cut_at_any_byte_or_followed_by_one_is_dropped() {
    let front = Front::new();
    let whole = hello(&[0xc0a8, 0xc02b], EMS, &[9; 32], 1);
    for length in 0..whole.len() {
        let cut = &whole[..length];
        assert_eq!(
            front.judge(0, DEVICE, cut),
            Verdict::Drop(HelloError::Malformed)
        );
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert_eq!(
        front.judge(0, DEVICE, &longer),
        Verdict::Drop(HelloError::Malformed)
    );
}

#[test]
fn without_its_cookie_it_is_what_was_sent_first() {
    let first = hello(&[0xc0a8, 0xc02b], EMS, &[], 0);
    let second = hello(&[0xc0a8, 0xc02b], EMS, &[9; 32], 1);
    let parsed = ClientHello::parse(&second).expect("a ClientHello");
    assert_eq!(parsed.without_cookie(0), first);
}

proptest! {
    #[test]
    fn no_datagram_makes_the_front_panic_or_send_more_than_came(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        suites in prop::collection::vec(any::<u16>(), 0..40),
        extensions in prop::collection::vec(any::<u8>(), 0..80),
        cookie in prop::collection::vec(any::<u8>(), 0..255),
        message_seq in 0_u8..6,
    ) {
        let mut datagram = hello(&suites, &extensions, &cookie, message_seq);
        for (at, value) in changes {
            let at = at.index(datagram.len());
            datagram[at] = value;
        }
        let front = Front::new();
        for datagram in [datagram.as_slice(), &datagram[..cut.index(datagram.len())]] {
            match front.judge(0, DEVICE, datagram) {
                Verdict::Verify { reply, .. } => prop_assert!(reply.len() <= datagram.len()),
                Verdict::Drop(_) => {}
                other => prop_assert!(false, "unproven, but {:?}", other),
            }
        }
    }

    #[test]
    fn a_well_formed_client_hello_is_parsed_and_rebuilt(
        suites in prop::collection::vec(any::<u16>(), 1..40),
        values in prop::collection::vec((100_u16.., prop::collection::vec(any::<u8>(), 0..20)), 0..6),
        cookie in prop::collection::vec(any::<u8>(), 0..255),
        has_extended_master_secret in any::<bool>(),
    ) {
        let mut extensions = Vec::new();
        for (kind, value) in values {
            extensions.extend(kind.to_be_bytes());
            extensions.extend((value.len() as u16).to_be_bytes());
            extensions.extend(value);
        }
        if has_extended_master_secret {
            extensions.extend(EMS);
        }
        let datagram = hello(&suites, &extensions, &cookie, 1);
        let parsed = ClientHello::parse(&datagram).expect("a ClientHello");
        prop_assert_eq!(parsed.cookie, cookie);
        prop_assert_eq!(parsed.offers_psk, suites.contains(&0xc0a8));
        prop_assert_eq!(parsed.offers_extended_master_secret, has_extended_master_secret);
        prop_assert_eq!(parsed.without_cookie(0), hello(&suites, &extensions, &[], 0));
    }
}
