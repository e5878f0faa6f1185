//! Bounds of sessions, bytes and events.

use std::sync::Arc;
use std::time::Duration;

use super::world::{Devices, KEY, World, settings};
use crate::dtls::record::{self, ALERT, HANDSHAKE, records};
use crate::dtls::{CloseReason, Event, Limits, Refusal};

fn world(limits: Limits) -> World {
    World::new(1, settings(limits), Arc::new(Devices))
}

fn reasons(world: &World) -> Vec<CloseReason> {
    let reasons = world.events.iter().filter_map(|event| match event {
        Event::Closed { reason, .. } => Some(*reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn a_host_gets_its_share_of_sessions_and_the_next_device_an_alert() {
    let mut world = world(Limits {
        sessions: 512,
        ..Limits::default()
    });
    for number in 0..65 {
        world.add(
            &format!("192.0.2.1:{}", 1_000 + number),
            &format!("device-{number}"),
            KEY,
        );
        if number % 16 == 15 {
            world.run_seconds(3);
        }
    }
    world.trace.clear();
    world.run_seconds(3);
    assert_eq!(world.server.session_count(), 64);
    let refusal = world.events.iter().find_map(|event| match event {
        Event::Refused { refusal, .. } => Some(refusal.clone()),
        _ => None,
    });
    assert_eq!(refusal, Some(Refusal::Sessions(share::Refused::Host)));
    let mut sent = world
        .trace
        .iter()
        .flat_map(|(_, datagram)| records(datagram));
    let alert = sent
        .find(|record| record.content_type == ALERT)
        .expect("an alert");
    assert_eq!(alert.fragment, [2, 80]);
    drop(sent);
    let other = world.add("192.0.2.2:1000", "device-other", KEY);
    world.run_seconds(3);
    assert!(world.clients[other].is_connected);
}

#[test]
fn a_device_that_comes_from_more_addresses_loses_its_longest_unused_session() {
    let mut world = world(Limits::default());
    for port in 0..4 {
        world.add(&format!("192.0.2.1:{}", 1_000 + port), "device-1", KEY);
        world.run_seconds(3);
    }
    world.clients[0].send(b"used");
    world.run_seconds(1);
    world.add("192.0.2.9:1000", "device-1", KEY);
    world.run_seconds(3);
    assert_eq!(reasons(&world), [CloseReason::TooMany]);
    assert!(world.clients[1].is_closed && !world.clients[0].is_closed);
    assert_eq!(world.server.session_count(), 4);
}

#[test]
fn an_idle_session_is_closed_and_a_used_one_stays() {
    let mut world = world(Limits {
        session_idle: Duration::from_secs(100),
        ..Limits::default()
    });
    let used = world.add("192.0.2.1:1000", "device-1", KEY);
    let idle = world.add("192.0.2.1:1001", "device-2", KEY);
    world.run_seconds(90);
    world.clients[used].send(b"used");
    world.run_seconds(60);
    assert_eq!(
        (reasons(&world), world.clients[idle].is_closed),
        (vec![CloseReason::Idle], true)
    );
    world.run_seconds(60);
    assert_eq!(world.server.session_count(), 0);
    assert!(world.server.slots.is_empty() && world.server.timers.is_empty());
    assert!(world.server.principals.is_empty());
}

#[test]
fn all_sessions_of_a_removed_device_and_of_a_gateway_that_stops_are_closed() {
    let mut world = world(Limits::default());
    for port in 0..3 {
        let name = if port < 2 { "device-1" } else { "device-2" };
        world.add(&format!("192.0.2.1:{}", 1_000 + port), name, KEY);
    }
    world.run_seconds(3);
    world.server.close_principal("device-1");
    world.run_seconds(1);
    let closed: Vec<_> = world
        .clients
        .iter()
        .map(|client| client.is_closed)
        .collect();
    assert_eq!(closed, [true, true, false]);
    world.server.close_all();
    world.run_seconds(1);
    assert!(world.clients[2].is_closed);
    assert_eq!(reasons(&world), [CloseReason::Gateway; 3]);
    assert!(world.server.slots.is_empty() && world.server.principals.is_empty());
}

#[test]
fn a_handshake_of_more_bytes_than_one_can_have_ends() {
    let mut world = world(Limits::default());
    let device = world.add("192.0.2.1:1000", "device-1", KEY);
    let address = world.clients[device].address;
    for _ in 0..2 {
        for datagram in world.clients[device].poll() {
            world.server.handle_datagram(world.now, address, &datagram);
        }
        while let Some(transmit) = world.server.poll_transmit() {
            world.clients[device].handle(world.now, Some(&transmit.bytes));
        }
    }
    // Fragments of a ClientKeyExchange that is never whole.
    let fragment = [&[16, 0, 9, 0, 0, 2, 0, 0, 1, 0, 2, 0], [7; 512].as_slice()].concat();
    for sequence in 0..10 {
        let datagram = record::plain(HANDSHAKE, sequence, &fragment);
        world.server.handle_datagram(world.now, address, &datagram);
    }
    let refused = world.server.poll_event();
    assert!(
        matches!(
            &refused,
            Some(Event::Refused {
                refusal: Refusal::TooManyBytes { limit: 4_096 },
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(world.server.handshake_count(), 0);
}

#[test]
fn refusals_that_nobody_fetches_are_counted_and_not_kept() {
    let mut world = world(Limits::default());
    let hello = [&[0xfe, 0xfd], [7; 32].as_slice(), &[0, 0, 0, 2, 0, 1, 1, 0]].concat();
    let message = |cookie: &[u8]| {
        let mut body = hello.clone();
        body[35] = cookie.len() as u8;
        body.splice(36..36, cookie.iter().copied());
        let length = body.len() as u8;
        let header = [1, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length];
        record::plain(HANDSHAKE, 0, &[&header, body.as_slice()].concat())
    };
    let address = "192.0.2.1:1000".parse().expect("an address");
    world
        .server
        .handle_datagram(world.now, address, &message(&[]));
    let reply = world
        .server
        .poll_transmit()
        .expect("a HelloVerifyRequest")
        .bytes;
    let second = message(&reply[reply.len() - 32..]);
    for _ in 0..100 {
        world.server.handle_datagram(world.now, address, &second);
    }
    assert_eq!(world.server.events.len(), 64);
    assert_eq!(world.server.counters().refusals_not_passed_on, 36);
    assert_eq!(std::iter::from_fn(|| world.server.poll_event()).count(), 64);
    world.server.handle_datagram(world.now, address, &second);
    assert_eq!(world.server.events.len(), 1);
}
