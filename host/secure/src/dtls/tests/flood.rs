//! Floods: of ClientHellos from spoofed addresses, and of half handshakes.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::client::Client;
use super::world::{KEY, World};
use crate::dtls::{Event, Refusal};

fn at(network: u16, host: u16, port: u16) -> SocketAddr {
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host);
    SocketAddr::new(address.into(), port)
}

fn at_v4(network: u16, host: u8) -> SocketAddr {
    let [high, low] = network.to_be_bytes();
    SocketAddr::new(Ipv4Addr::new(10, high, low, host).into(), 1_000)
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
        let sent = std::iter::from_fn(|| world.server.poll_transmit());
        for transmit in sent.filter(|transmit| transmit.peer == address) {
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
    assert_eq!(of_a_network, 100, "each takes the place of the oldest");
    assert_eq!(world.server.handshake_count(), 64);
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

/// A device of another host shakes hands, over a network in which a datagram takes 100 ms.
fn gets_in(world: &mut World, address: &str) -> bool {
    world.weather.delay = Duration::from_millis(100);
    let device = world.add(address, "device-1", KEY);
    world.run(Duration::from_secs(20));
    world.clients[device].is_connected
}

#[test]
fn half_handshakes_of_many_hosts_of_one_ipv4_network_leave_room_for_other_networks() {
    let mut world = World::of_devices();
    let pending = (0..=255).filter(|host| half(&mut world, at_v4(1, *host)));
    assert_eq!(pending.count(), 256, "each takes the place of the oldest");
    assert_eq!(world.server.handshake_count(), 32, "an eighth of 256");
    assert!(gets_in(&mut world, "192.0.2.1:5000"));
}

#[test]
fn half_handshakes_of_one_host_do_not_keep_another_one_of_its_network_out() {
    let mut world = World::of_devices();
    for port in 0..100 {
        half(&mut world, at(1, 1, 1_000 + port));
    }
    assert!(gets_in(&mut world, "[2001:db8:0:1::2]:5000"));
    assert_eq!(world.server.handshake_count(), 31, "one has made room");
    assert_eq!(world.server.counters().no_room, 68 + 1);
}

#[test]
fn half_handshakes_of_any_number_of_networks_do_not_keep_a_new_device_out() {
    for networks in [8, 1_000] {
        let mut world = World::of_devices();
        for number in 0..500 {
            half(
                &mut world,
                at_v4(number % networks, (number / networks) as u8),
            );
        }
        assert_eq!(world.server.handshake_count(), 256, "{networks}");
        assert!(gets_in(&mut world, "192.0.2.1:5000"), "{networks}");
    }
}

#[test]
fn a_flood_that_goes_on_pushes_out_its_own_handshakes_and_tells_their_addresses() {
    let mut world = World::of_devices();
    for number in 0..256 {
        half(&mut world, at_v4(number / 16, number as u8));
    }
    world.events.clear();
    let device = "192.0.2.1:5000".parse().expect("an address");
    assert!(half(&mut world, device));
    let [Event::Refused { peer, refusal }] = world.events.as_slice() else {
        panic!("{:?}", world.events);
    };
    assert_eq!(
        *peer,
        at_v4(0, 0),
        "the oldest one of the heaviest networks"
    );
    assert_eq!(*refusal, Refusal::PendingHandshakes(share::Refused::InAll));
    // Nobody of a network with as many pushes out others: a flood costs no more than its shares.
    assert!(!half(&mut world, at_v4(3, 255)));
    // The device is not pushed out by networks that have more.
    for number in 1_000..1_400 {
        half(&mut world, at_v4(16 + number % 100, (number / 100) as u8));
    }
    assert!(world.server.slots[&device].handshake.is_some());
}
