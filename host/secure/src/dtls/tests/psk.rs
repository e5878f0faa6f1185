//! Devices with keys: sessions, and what a wrong key gets.

use std::sync::Arc;
use std::time::Duration;

use super::world::{Devices, KEY, Weather, World, settings};
use crate::dtls::record::{ALERT, records};
use crate::dtls::{CloseReason, Event, Limits, Method, Refusal, SendError, SessionId};

const ADDRESS: &str = "[2001:db8::1]:5000";

fn opened(world: &World) -> Vec<SessionId<std::net::SocketAddr>> {
    let opened = world.events.iter().filter_map(|event| match event {
        Event::Opened { session, .. } => Some(*session),
        _ => None,
    });
    opened.collect()
}

fn closed(world: &World) -> Vec<CloseReason> {
    let closed = world.events.iter().filter_map(|event| match event {
        Event::Closed { reason, .. } => Some(*reason),
        _ => None,
    });
    closed.collect()
}

/// The alert that the server sent last.
fn alert(world: &World) -> Option<u8> {
    let sent = world
        .trace
        .iter()
        .rev()
        .filter(|(is_from_client, _)| !is_from_client);
    let mut records = sent.flat_map(|(_, datagram)| records(datagram));
    records
        .find(|record| record.content_type == ALERT)
        .map(|record| record.fragment[1])
}

#[test]
fn a_device_with_its_key_gets_a_session_and_messages_go_both_ways() {
    let mut world = World::of_devices();
    let device = world.add(ADDRESS, "device-1", KEY);
    world.run_seconds(5);
    let session = opened(&world)[0];
    assert!(matches!(
        &world.events[..],
        [Event::Opened { principal, method: Method::Psk, .. }] if **principal == *"device-1"
    ));
    assert!(world.clients[device].is_connected);
    world.clients[device].send(b"up");
    world.run_seconds(1);
    assert_eq!(world.messages[0].bytes, b"up");
    assert_eq!(
        (world.messages[0].session, &*world.messages[0].principal),
        (session, "device-1")
    );
    world
        .server
        .send(world.now, &session, b"down")
        .expect("a session");
    world.run_seconds(1);
    assert_eq!(world.clients[device].messages, [b"down"]);
    assert_eq!(
        (world.server.session_count(), world.server.handshake_count()),
        (1, 0)
    );
}

#[test]
fn a_datagram_to_a_device_with_a_key_is_one_record_of_at_most_200_bytes() {
    let mut world = World::of_devices();
    let device = world.add(ADDRESS, "device-1", KEY);
    world.run_seconds(5);
    let session = opened(&world)[0];
    let longest = world.server.longest_message(&session).expect("a session");
    assert_eq!(longest, 171);
    let error = world.server.send(world.now, &session, &[0; 172]);
    assert_eq!(error, Err(SendError::TooLong { longest }));
    for _ in 0..3 {
        world
            .server
            .send(world.now, &session, &[7; 171])
            .expect("a session");
    }
    world.run_seconds(1);
    assert_eq!(world.clients[device].messages, [[7; 171]; 3]);
    let sent: Vec<_> = world
        .trace
        .iter()
        .filter(|(is_from_client, _)| !is_from_client)
        .collect();
    assert!(
        sent.iter()
            .all(|(_, datagram)| records(datagram).count() == 1)
    );
    assert_eq!(
        sent.iter().map(|(_, datagram)| datagram.len()).max(),
        Some(200)
    );
}

#[test]
fn a_wrong_key_and_an_unknown_identity_get_the_same_datagrams() {
    let datagrams_for = |identity, key| {
        let mut world = World::of_devices();
        world.add(ADDRESS, identity, key);
        world.run_seconds(5);
        let sent = world
            .trace
            .iter()
            .filter(|(is_from_client, _)| !is_from_client);
        let shapes: Vec<_> = sent
            .map(|(_, datagram)| (datagram.len(), datagram[..13].to_vec()))
            .collect();
        (
            shapes,
            alert(&world),
            world.events.clone(),
            world.server.handshake_count(),
        )
    };
    let (wrong, wrong_alert, wrong_events, wrong_left) =
        datagrams_for("device-1", "anotherPSK123456");
    let (unknown, unknown_alert, unknown_events, unknown_left) = datagrams_for("stranger", KEY);
    assert_eq!(wrong, unknown);
    assert_eq!(
        (wrong_alert, unknown_alert, wrong_left, unknown_left),
        (Some(51), Some(51), 0, 0)
    );
    let refusal = |events: &[Event<_>]| match events {
        [Event::Refused { refusal, .. }] => refusal.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&wrong_events), Refusal::WrongKey("device-1".into()));
    assert!(refusal(&unknown_events).to_string().contains("stranger"));
}

#[test]
fn close_notify_goes_both_ways() {
    let mut world = World::of_devices();
    let device = world.add(ADDRESS, "device-1", KEY);
    let other = world.add("[2001:db8::2]:5000", "device-2", KEY);
    world.run_seconds(5);
    world.clients[device].close();
    world.run_seconds(1);
    assert_eq!(closed(&world), [CloseReason::Device]);
    let at = world.clients[other].address;
    let session = opened(&world)
        .into_iter()
        .find(|session| session.peer == at)
        .expect("a session");
    world.server.close(&session);
    world.run_seconds(1);
    assert!(world.clients[other].is_closed);
    assert_eq!(closed(&world), [CloseReason::Device, CloseReason::Gateway]);
    assert_eq!(
        world.server.send(world.now, &session, b"x"),
        Err(SendError::NoSession)
    );
    assert_eq!(world.server.session_count(), 0);
}

#[test]
fn a_handshake_succeeds_in_any_weather_and_its_messages_arrive_once() {
    for seed in 0..60 {
        let mut world = World::new(seed, settings(Limits::default()), Arc::new(Devices));
        world.weather = Weather {
            loss: 10,
            repetition: 20,
            delay: Duration::from_millis(400),
        };
        // CCS and Finished are two datagrams, and half of them arrive in the other order: then the device discards
        // Finished. Of one handshake in ten that happens five times; a device begins again.
        let mut device = world.add(ADDRESS, "device-1", KEY);
        for _ in 0..10 {
            world.run_seconds(45);
            if world.clients[device].is_connected {
                break;
            }
            device = world.add(ADDRESS, "device-1", KEY);
        }
        assert!(world.clients[device].is_connected, "seed {seed}");
        let session = *opened(&world).last().expect("a session");
        world.weather.loss = 0;
        for number in 0..10_u8 {
            world.clients[device].send(&[number]);
            world
                .server
                .send(world.now, &session, &[number])
                .expect("a session");
        }
        world.run_seconds(2);
        let mut up: Vec<_> = world
            .messages
            .iter()
            .map(|message| message.bytes[0])
            .collect();
        let mut down: Vec<_> = world.clients[device]
            .messages
            .iter()
            .map(|bytes| bytes[0])
            .collect();
        up.sort_unstable();
        down.sort_unstable();
        assert_eq!(
            (&up[..], &down[..]),
            (&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..], &up[..]),
            "seed {seed}"
        );
        assert_eq!(world.server.handshake_count(), 0, "seed {seed}");
    }
}
