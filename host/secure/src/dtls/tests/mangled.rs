//! Handshakes of which a datagram is cut or changed on the way.

use proptest::prelude::*;

use super::world::{KEY, World};
use crate::dtls::Event;
use crate::dtls::record::{HEADER, records};

const ADDRESS: &str = "[2001:db8::1]:5000";

/// Runs a handshake without delays. `mangle` makes of the datagram of the client with this number what arrives before
/// it. Returns whether the device is connected, and how many datagrams it has sent.
fn shake(world: &mut World, mut mangle: impl FnMut(usize, &[u8]) -> Vec<u8>) -> (bool, usize) {
    let device = world.add(ADDRESS, "device-1", KEY);
    let mut sent = 0;
    loop {
        let datagrams = world.clients[device].poll();
        if datagrams.is_empty() {
            return (world.clients[device].is_connected, sent);
        }
        let address = world.clients[device].address;
        for datagram in datagrams {
            let before = mangle(sent, &datagram);
            world.server.handle_datagram(world.now, address, &before);
            world.server.handle_datagram(world.now, address, &datagram);
            sent += 1;
        }
        while let Some(transmit) = world.server.poll_transmit() {
            world.clients[device].handle(world.now, Some(&transmit.bytes));
        }
        world
            .events
            .extend(std::iter::from_fn(|| world.server.poll_event()));
    }
}

/// The datagram cut within one of its records, whose length is corrected if `is_corrected`.
fn cut(datagram: &[u8], length: usize, is_corrected: bool) -> Vec<u8> {
    let mut bytes = datagram[..length].to_vec();
    let mut start = 0;
    for record in records(datagram) {
        if start + record.bytes.len() > length {
            break;
        }
        start += record.bytes.len();
    }
    if is_corrected && length >= start + HEADER {
        let rest = (length - start - HEADER) as u16;
        bytes[start + 11..start + HEADER].copy_from_slice(&rest.to_be_bytes());
    }
    bytes
}

#[test]
fn every_handshake_message_cut_at_every_byte_does_no_harm() {
    let mut world = World::of_devices();
    let mut lengths = Vec::new();
    let whole = shake(&mut world, |_, datagram| {
        lengths.push(datagram.len());
        Vec::new()
    });
    assert_eq!(whole, (true, 3));
    for (number, length) in lengths.into_iter().enumerate() {
        for length in 0..length {
            for is_corrected in [false, true] {
                let (is_connected, _) = shake(&mut world, |sent, datagram| match sent == number {
                    true => cut(datagram, length.min(datagram.len()), is_corrected),
                    false => Vec::new(),
                });
                // A Finished that cannot be decrypted ends the handshake, as that of a wrong key does; and only that.
                let ended = matches!(world.events.last(), Some(Event::Refused { .. }));
                assert!(
                    is_connected || (ended && number == 2 && is_corrected),
                    "{number} {length} {is_corrected}"
                );
                assert_eq!(world.server.handshake_count(), 0);
                world.events.clear();
                world.clients.clear();
            }
        }
    }
    let (is_connected, _) = shake(&mut world, |_, _| Vec::new());
    assert!(is_connected, "and the next handshake succeeds");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_changed_datagram_before_each_one_never_makes_another_device_of_it(
        number in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        repeated in any::<bool>(),
    ) {
        let mut world = World::of_devices();
        shake(&mut world, |sent, datagram| {
            let mut bytes = if sent == number { datagram.to_vec() } else { Vec::new() };
            for (at, value) in &changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *value;
                }
            }
            if repeated { [bytes.clone(), bytes].concat() } else { bytes }
        });
        for event in &world.events {
            if let Event::Opened { principal, .. } = event {
                prop_assert_eq!(&**principal, "device-1");
            }
        }
        world.events.clear();
        let (is_connected, _) = shake(&mut world, |_, _| Vec::new());
        prop_assert!(is_connected, "the next handshake: {:?}", world.events);
    }
}
