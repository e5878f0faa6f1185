//! Peers whose transport proves their address.

use super::observe::{content, observing};
use super::*;
use crate::PeerId;

/// A peer with a security association; not `Copy`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Session {
    principal: String,
    is_authenticated: bool,
}

impl PeerId for Session {
    fn has_proven_address(&self) -> bool {
        self.is_authenticated
    }
}

fn endpoint(is_authenticated: bool) -> (Endpoint<Session>, Session, Instant) {
    let peer = Session {
        principal: "sensor".to_owned(),
        is_authenticated,
    };
    let limits = Limits {
        echo: true,
        first_block_exponent: 6,
        ..Limits::default()
    };
    (Endpoint::new(limits, [5; 16]), peer, Instant::now())
}

fn sent(endpoint: &mut Endpoint<Session>) -> Vec<Message> {
    std::iter::from_fn(|| endpoint.poll_transmit())
        .map(|transmit| {
            decode(&transmit.bytes)
                .expect("own messages are valid")
                .message
        })
        .collect()
}

#[test]
fn an_authenticated_peer_gets_neither_echo_nor_ping_nor_smaller_blocks() {
    let (mut endpoint, peer, now) = endpoint(true);
    assert!(endpoint.is_proven(now, &peer));
    endpoint.handle_datagram(now, peer.clone(), &encode(&observing(7, 0)));
    let incoming = endpoint.poll_request().expect("a request");
    assert_eq!(incoming.request.peer, peer);
    let body = "x".repeat(1000);
    let begun = endpoint.respond_observing(now, incoming.id, content(&body), None);
    let sent = sent(&mut endpoint);
    assert_eq!((sent.len(), sent[0].payload.len()), (1, 1000));
    assert!(begun.is_some());
    assert_eq!(endpoint.counters().challenges, 0);
}

#[test]
fn a_peer_that_is_not_authenticated_gets_a_ping() {
    let (mut endpoint, peer, now) = endpoint(false);
    assert!(!endpoint.is_proven(now, &peer));
    endpoint.handle_datagram(now, peer, &encode(&confirmable(7, code::GET)));
    assert_eq!(sent(&mut endpoint)[0].code, code::EMPTY);
    assert!(endpoint.poll_request().is_none());
}
