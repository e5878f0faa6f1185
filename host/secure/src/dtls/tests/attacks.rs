//! What strangers send to sessions and handshakes.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::world::{KEY, World};
use crate::dtls::record::{self, ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE};

const ADDRESS: &str = "[2001:db8::1]:5000";

fn address() -> SocketAddr {
    ADDRESS.parse().expect("an address")
}

fn with_session() -> World {
    let mut world = World::of_devices();
    world.add(ADDRESS, "device-1", KEY);
    world.run_seconds(5);
    assert_eq!(world.server.session_count(), 1);
    world.events.clear();
    world
}

#[test]
fn records_that_are_not_protected_do_not_reach_a_session() {
    let mut world = with_session();
    for sequence in 0..200 {
        for (content_type, fragment) in [
            (APPLICATION_DATA, b"forged".as_slice()),
            (ALERT, &[2, 40]),
            (ALERT, &[1, 0]),
            (CHANGE_CIPHER_SPEC, &[1]),
            (HANDSHAKE, &[16, 0, 0, 2, 0, 9, 0, 0, 0, 0, 0, 2, 0, 0]),
            (HANDSHAKE, &[20, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0]),
        ] {
            let datagram = record::plain(content_type, sequence, fragment);
            world
                .server
                .handle_datagram(world.now, address(), &datagram);
        }
    }
    world.run_seconds(1);
    assert!(world.messages.is_empty() && world.events.is_empty());
    world.clients[0].send(b"real");
    world.run_seconds(1);
    assert_eq!(world.messages[0].bytes, b"real");
}

#[test]
fn records_with_a_forged_tag_or_a_used_number_do_not_reach_a_session() {
    let mut world = with_session();
    world.clients[0].send(b"real");
    let datagrams = world.clients[0].poll();
    let real = &datagrams[0];
    for byte in record::HEADER..real.len() {
        let mut forged = real.clone();
        forged[byte] ^= 1;
        world.server.handle_datagram(world.now, address(), &forged);
    }
    assert_eq!(world.server.poll_message(), None);
    for _ in 0..3 {
        world.server.handle_datagram(world.now, address(), real);
    }
    assert_eq!(
        world.server.poll_message().expect("a message").bytes,
        b"real"
    );
    assert_eq!(world.server.poll_message(), None);
    // The session of one address is not that of another.
    let other = "[2001:db8::2]:5000".parse().expect("an address");
    world.clients[0].send(b"moved");
    for datagram in world.clients[0].poll() {
        world.server.handle_datagram(world.now, other, &datagram);
    }
    assert_eq!(world.server.poll_message(), None);
}

/// A record with a header that can be anything near to a valid one.
fn near_a_record() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::collection::vec(any::<u8>(), 0..80);
    (
        19_u8..26,
        prop::sample::select(vec![0_u16, 0, 1, 1, 2]),
        0_u64..40,
        fragment,
        any::<bool>(),
    )
        .prop_map(|(content_type, epoch, sequence, fragment, is_handshake)| {
            let mut fragment = fragment;
            if is_handshake {
                let length = fragment.len() as u8;
                let kind = [1, 11, 15, 16, 20][usize::from(length) % 5];
                let header = [
                    kind,
                    0,
                    0,
                    length,
                    0,
                    sequence as u8 % 5,
                    0,
                    0,
                    0,
                    0,
                    0,
                    length,
                ];
                fragment.splice(0..0, header);
            }
            record::plain(content_type, (u64::from(epoch) << 48) | sequence, &fragment)
                .into_iter()
                .enumerate()
                // `plain` writes only the number: the epoch is before it.
                .map(|(at, byte)| match at {
                    4 => epoch as u8,
                    _ => byte,
                })
                .collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn junk_neither_panics_nor_ends_a_session_nor_gets_more_than_it_sent(
        datagrams in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..120),
                near_a_record(),
                prop::collection::vec(near_a_record(), 1..5).prop_map(|records| records.concat()),
            ],
            1..40,
        ),
    ) {
        let mut world = with_session();
        let stranger = "[2001:db8:9::1]:5000".parse().expect("an address");
        for datagram in &datagrams {
            world.server.handle_datagram(world.now, stranger, datagram);
            let sent: usize = std::iter::from_fn(|| world.server.poll_transmit()).map(|sent| sent.bytes.len()).sum();
            prop_assert!(sent <= datagram.len());
            world.server.handle_datagram(world.now, address(), datagram);
            // A repeated flight, perhaps: to the device, as often as the timer of its repetition allows.
            while world.server.poll_transmit().is_some() {}
        }
        world.collect();
        prop_assert!(world.messages.is_empty() && world.events.is_empty(), "{:?}", world.events);
        prop_assert_eq!(world.server.handshake_count(), 0);
        world.clients[0].send(b"real");
        world.run_seconds(1);
        prop_assert_eq!(world.messages.len(), 1);
    }

    #[test]
    fn junk_within_a_handshake_neither_panics_nor_opens_a_session(
        datagrams in prop::collection::vec(near_a_record(), 1..30),
    ) {
        let mut world = World::of_devices();
        world.add(ADDRESS, "device-1", KEY);
        for _ in 0..2 {
            for datagram in world.clients[0].poll() {
                world.server.handle_datagram(world.now, address(), &datagram);
            }
            while let Some(transmit) = world.server.poll_transmit() {
                world.clients[0].handle(world.now, Some(&transmit.bytes));
            }
        }
        prop_assert_eq!(world.server.handshake_count(), 1);
        for datagram in datagrams {
            world.server.handle_datagram(world.now, address(), &datagram);
        }
        prop_assert_eq!(world.server.session_count(), 0);
        // What the device got is not what the next one at its address gets.
        while world.server.poll_transmit().is_some() {}
        world.clients.clear();
        world.add(ADDRESS, "device-1", KEY);
        world.run_seconds(60);
        prop_assert_eq!((world.server.session_count(), world.server.handshake_count()), (1, 0));
    }
}
