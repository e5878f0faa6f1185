//! Observations, exchanges in flight, and responses to a group.

use super::*;
use crate::ObservationId;
use crate::code::*;
use crate::option::{MAX_AGE, OBSERVE};
use crate::tests::{confirmable, non_confirmable};

fn observe(server: &mut Server, from: SocketAddr, id: u16) -> Option<ObservationId> {
    let mut get = confirmable(id, GET);
    get.message.push_uint_option(OBSERVE, 0);
    server.receive_bytes(from, &encode(&get));
    let incoming = server.incoming()?;
    let (id, now) = (incoming.id, server.now);
    let response = Message::new(CONTENT).with_payload("1");
    server.endpoint.respond_observing(now, id, response, None)
}

#[test]
fn a_host_whose_requests_wait_for_a_proof_leaves_room_for_those_of_others() {
    let mut server = Server::with_limits(Limits::default());
    let mut defer = |from: SocketAddr| {
        server.receive_bytes(from, &encode(&confirmable(1, PUT)));
        let incoming = server.incoming().expect("a request");
        assert!(server.endpoint.prove_then(server.now, incoming).is_none());
        server.sent_to(from)
    };
    let codes: Vec<u8> = (1..=1_000)
        .flat_map(|port| defer(peer(FLOODING, port)))
        .map(|sent| sent.message.code)
        .collect();
    let pinged = codes.iter().filter(|code| **code == EMPTY).count();
    let challenged = codes
        .iter()
        .filter(|code| **code == SERVICE_UNAVAILABLE)
        .count();
    assert_eq!((pinged, challenged), (128, 872));
    let of_other = defer(peer(HONEST, 1));
    assert_eq!(of_other[0].message.code, EMPTY, "a ping");
    assert_eq!(server.endpoint.deferred(), 129);
    server.advance(Duration::from_secs(100));
    assert_eq!(server.endpoint.deferred(), 0);
}

fn observe_from_many_ports(server: &mut Server) -> usize {
    let all = (0..625).flat_map(|port| (0..16).map(move |id| (port, id)));
    all.filter(|(port, id)| observe(server, peer(FLOODING, *port), *id).is_some())
        .count()
}

#[test]
fn sixteen_observations_of_each_of_625_ports_leave_room_for_those_of_other_hosts() {
    let mut server = Server::new();
    assert_eq!(observe_from_many_ports(&mut server), 1_250);
    assert!(observe(&mut server, peer(HONEST, 1), 1).is_some());
    let counters = server.endpoint.counters();
    assert_eq!(
        (counters.observations, counters.observations_above_share),
        (1_251, 8_750)
    );
    assert_eq!(counters.observations_refused, 8_750);
    let largest = server.endpoint.largest_holders();
    let observations: Vec<_> = largest.iter().map(|holder| holder.observations).collect();
    assert_eq!(observations, [1_250, 1]);
    assert_eq!(largest[0].peer.ip(), peer(FLOODING, 1).ip());
}

#[test]
fn a_host_at_its_share_displaces_its_own_unproven_observations_and_no_others() {
    let mut server = Server::with_limits(Limits {
        datagrams_per_second_per_peer: 0,
        ..Limits::default()
    });
    let honest = observe(&mut server, peer(HONEST, 1), 1).expect("an observation");
    assert_eq!(observe_from_many_ports(&mut server), 10_000);
    assert_eq!(server.endpoint.observations(), 1_251);
    let now = server.now;
    assert!(
        server
            .endpoint
            .notify(now, honest, Message::new(CONTENT).with_payload("2"))
    );
    let counters = server.endpoint.counters();
    assert_eq!(counters.observations_displaced, 8_750);
}

#[test]
fn sixteen_requests_of_each_of_a_thousand_ports_leave_room_for_those_of_other_hosts() {
    let mut server = Server::new();
    for (port, id) in (0..1_024).flat_map(|port| (0..16).map(move |id| (port, id))) {
        server.receive_bytes(peer(FLOODING, port), &encode(&confirmable(id, GET)));
    }
    assert_eq!(server.endpoint.in_flight(), 2_048);
    assert_eq!(
        server.endpoint.counters().exchanges_above_share,
        16_384 - 2_048
    );
    let refused = &server.exchange(peer(FLOODING, 2_000), &confirmable(1, GET))[0].message;
    assert_eq!(
        (refused.code, refused.uint_option(MAX_AGE)),
        (SERVICE_UNAVAILABLE, Some(5))
    );
    assert_eq!(server.exchange(peer(HONEST, 1), &confirmable(1, GET)), []);
    assert_eq!(server.endpoint.in_flight(), 2_049);
    server.respond_to_all(&Message::new(CONTENT));
    while server.endpoint.poll_transmit().is_some() {}
    assert_eq!(
        server.exchange(peer(FLOODING, 1), &confirmable(99, GET)),
        []
    );
}

#[test]
fn separate_responses_without_acknowledgement_keep_neither_their_host_nor_others_from_requests() {
    let mut server = Server::with_limits(Limits {
        exchanges: 256,
        ..limits()
    });
    for port in 0..32 {
        server.receive_bytes(peer(FLOODING, port), &encode(&confirmable(1, GET)));
    }
    server.advance(Duration::from_secs(1));
    server.respond_to_all(&Message::new(CONTENT));
    while server.endpoint.poll_transmit().is_some() {}
    for host in [FLOODING, HONEST] {
        assert_eq!(server.exchange(peer(host, 99), &confirmable(1, GET)), []);
    }
    assert_eq!(server.endpoint.in_flight(), 34);
}

#[test]
fn responses_to_a_group_that_wait_leave_room_for_those_to_other_hosts() {
    let mut server = Server::new();
    let discover = |server: &mut Server, from: SocketAddr| {
        let bytes = encode(&non_confirmable(1, GET));
        server.endpoint.handle_multicast(server.now, from, &bytes);
        server.respond_to_all(&Message::new(CONTENT).with_payload("links"));
    };
    (0..300).for_each(|port| discover(&mut server, peer(FLOODING, port)));
    discover(&mut server, peer(HONEST, 1));
    assert_eq!(
        server.endpoint.counters().multicast_responses_dropped,
        300 - 32
    );
    server.advance(Duration::from_secs(5));
    assert_eq!(server.endpoint.counters().datagrams, 301);
}
