//! Floods: of ClientHellos from spoofed addresses, and of half handshakes.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::client::Client;
use super::world::{KEY, World};
use crate::dtls::{Event, Refusal};

fn at(network: u16, host: u16, port: u16) -> SocketAddr {
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host);
    SocketAddr::new(address.into(), port)
}

/// Shakes hands up to the server's flight, and is silent then. Returns whether it got it.
fn half(world: &mut World, address: SocketAddr) -> bool {
    let mut client = Client::psk(world.now, address, "device-1", KEY);
    let mut replies = 0;
    for _ in 0..2 {
        for datagram in client.poll() {
            world.server.handle_datagram(world.now, address, &datagram);
        }
        replies = 0;
        while let Some(transmit) = world.server.poll_transmit() {
            client.handle(world.now, Some(&transmit.bytes));
            replies += 1;
        }
    }
    world
        .events
        .extend(std::iter::from_fn(|| world.server.poll_event()));
    replies > 0
}

#[test]
fn client_hellos_from_spoofed_addresses_leave_no_state_and_get_no_more_than_they_sent() {
    let mut world = World::of_devices();
    let mut client = Client::psk(world.now, at(1, 1, 1), "device-1", KEY);
    let hello = client.poll().remove(0);
    for number in 0..20_000_u16 {
        let spoofed = at(number % 100, number, number);
        world.server.handle_datagram(world.now, spoofed, &hello);
        let reply = world.server.poll_transmit().expect("a HelloVerifyRequest");
        assert_eq!((reply.peer, world.server.poll_transmit()), (spoofed, None));
        assert!(reply.bytes.len() <= hello.len());
    }
    assert_eq!(world.server.counters().verify_requests, 20_000);
    assert_eq!(
        (world.server.handshake_count(), world.server.next_timeout()),
        (0, None)
    );
    assert!(world.server.slots.is_empty() && world.server.timers.is_empty());
}

#[test]
fn cookies_of_one_address_are_of_no_use_at_others() {
    let mut world = World::of_devices();
    let mut client = Client::psk(world.now, at(1, 1, 1), "device-1", KEY);
    let hello = client.poll().remove(0);
    world.server.handle_datagram(world.now, at(1, 1, 1), &hello);
    let reply = world.server.poll_transmit().expect("a HelloVerifyRequest");
    client.handle(world.now, Some(&reply.bytes));
    let hello = client.poll().remove(0);
    for number in 2..1_000 {
        world
            .server
            .handle_datagram(world.now, at(1, 1, number), &hello);
        let reply = world
            .server
            .poll_transmit()
            .expect("another HelloVerifyRequest");
        assert!(reply.bytes.len() <= hello.len() && world.server.poll_transmit().is_none());
    }
    assert_eq!(world.server.counters().invalid_cookies, 998);
    assert!(world.server.slots.is_empty());
    world.server.handle_datagram(world.now, at(1, 1, 1), &hello);
    assert_eq!(world.server.handshake_count(), 1);
}

#[test]
fn half_handshakes_of_one_host_or_network_leave_room_for_others_and_end_in_time() {
    let mut world = World::of_devices();
    let of_a_host = (0..100)
        .filter(|port| half(&mut world, at(1, 1, 1_000 + port)))
        .count();
    assert_eq!(of_a_host, 32, "an eighth of 256");
    let of_a_network = (0..100)
        .filter(|host| half(&mut world, at(2, *host, 1_000)))
        .count();
    assert_eq!(of_a_network, 32);
    let refused = |event: &Event<_>| {
        matches!(
            event,
            Event::Refused {
                refusal: Refusal::PendingHandshakes(_),
                ..
            }
        )
    };
    assert!(world.events.iter().all(refused) && world.events.len() == 136);
    assert_eq!(world.server.counters().no_room, 136);
    let device = world.add("[2001:db8:0:3::1]:5000", "device-1", KEY);
    world.run(Duration::from_secs(5));
    assert!(world.clients[device].is_connected);
    world.run(Duration::from_secs(60));
    assert_eq!(
        (world.server.handshake_count(), world.server.slots.len()),
        (0, 1)
    );
    assert_eq!(world.server.counters().timed_out, 64);
}

#[test]
fn an_address_has_one_handshake_however_often_it_begins() {
    let mut world = World::of_devices();
    for _ in 0..100 {
        assert!(half(&mut world, at(1, 1, 1_000)));
    }
    assert_eq!(
        (world.server.handshake_count(), world.server.timers.len()),
        (1, 1)
    );
}
