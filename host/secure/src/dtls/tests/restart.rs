//! Devices that restart, and those that only seem to.

use std::net::SocketAddr;

use super::world::{KEY, World};
use crate::dtls::record::records;
use crate::dtls::{CloseReason, Event, Refusal, SessionId};

const ADDRESS: &str = "[2001:db8::1]:5000";

/// A world in which a device has a session.
fn with_session() -> (World, SessionId<SocketAddr>) {
    let mut world = World::of_devices();
    world.add(ADDRESS, "device-1", KEY);
    world.run_seconds(5);
    let [Event::Opened { session, .. }] = world.events[..] else {
        panic!("{:?}", world.events);
    };
    world.events.clear();
    (world, session)
}

#[test]
fn a_device_that_restarted_replaces_its_session_once_its_handshake_is_complete() {
    let (mut world, former) = with_session();
    let device = world.add(ADDRESS, "device-1", KEY);
    world.run_seconds(5);
    assert!(world.clients[device].is_connected);
    let [
        Event::Closed {
            session,
            reason: CloseReason::Replaced,
            ..
        },
        Event::Opened { session: new, .. },
    ] = world.events[..]
    else {
        panic!("{:?}", world.events);
    };
    assert!(session == former && new.peer == former.peer && new != former);
    world.clients[device].send(b"new");
    world.run_seconds(1);
    assert_eq!(world.messages[0].session, new);
    assert_eq!(world.server.session_count(), 1);
}

#[test]
fn a_handshake_with_a_wrong_key_from_the_same_address_leaves_the_session() {
    let (mut world, session) = with_session();
    world.add(ADDRESS, "device-1", "anotherPSK123456");
    world.run_seconds(5);
    let [
        Event::Refused {
            refusal: Refusal::WrongKey(_),
            ..
        },
    ] = world.events[..]
    else {
        panic!("{:?}", world.events);
    };
    world.clients.pop();
    world.clients[0].send(b"still here");
    world.run_seconds(1);
    assert_eq!(world.messages[0].bytes, b"still here");
    world
        .server
        .send(world.now, &session, b"so am I")
        .expect("a session");
    world.run_seconds(1);
    assert_eq!(world.clients[0].messages, [b"so am I"]);
}

#[test]
fn a_session_goes_on_while_a_handshake_from_its_address_is_half_done() {
    let (mut world, session) = with_session();
    world.add(ADDRESS, "device-1", KEY);
    // Two ClientHellos, and then silence.
    for _ in 0..2 {
        let device = &mut world.clients[1];
        for datagram in device.poll() {
            world
                .server
                .handle_datagram(world.now, session.peer, &datagram);
        }
        let reply = world.server.poll_transmit().expect("a reply");
        device.handle(world.now, Some(&reply.bytes));
        while world.server.poll_transmit().is_some() {}
    }
    assert_eq!(world.server.handshake_count(), 1);
    world.clients.pop();
    world.clients[0].send(b"still here");
    world.run_seconds(60);
    assert_eq!(world.messages[0].bytes, b"still here");
    assert_eq!(
        (world.server.handshake_count(), world.server.session_count()),
        (0, 1)
    );
    assert!(matches!(
        &world.events[..],
        [Event::Refused {
            refusal: Refusal::TimedOut { .. },
            ..
        }]
    ));
}

#[test]
fn a_handshake_that_began_with_a_former_key_ends_with_the_key() {
    let mut world = World::of_devices();
    world.add(ADDRESS, "device-1", KEY);
    let address = world.clients[0].address;
    // All but the last record, Finished: the key is looked up.
    for _ in 0..3 {
        for datagram in world.clients[0].poll() {
            let records: Vec<_> = records(&datagram)
                .filter(|record| record.epoch == 0)
                .collect();
            for record in records {
                world
                    .server
                    .handle_datagram(world.now, address, record.bytes);
            }
        }
        while let Some(transmit) = world.server.poll_transmit() {
            world.clients[0].handle(world.now, Some(&transmit.bytes));
        }
    }
    assert_eq!(world.server.handshake_count(), 1);
    world.server.close_principal("device-2");
    assert_eq!(world.server.handshake_count(), 1);
    world.server.close_principal("device-1");
    assert_eq!(world.server.handshake_count(), 0);
    assert!(world.server.slots.is_empty() && world.server.timers.is_empty());
}

#[test]
fn a_repetition_of_all_datagrams_of_a_handshake_changes_nothing() {
    let (mut world, session) = with_session();
    world.clients[0].send(b"once");
    world.run_seconds(1);
    let from_client = world
        .trace
        .iter()
        .filter(|(is_from_client, _)| *is_from_client);
    let datagrams: Vec<_> = from_client.map(|(_, datagram)| datagram.clone()).collect();
    for datagram in datagrams {
        world
            .server
            .handle_datagram(world.now, session.peer, &datagram);
    }
    world.run_seconds(60);
    assert_eq!(world.messages.len(), 1);
    assert_eq!(
        (world.server.handshake_count(), world.server.session_count()),
        (0, 1)
    );
    assert!(world.events.is_empty());
    world
        .server
        .send(world.now, &session, b"down")
        .expect("the same session");
}
