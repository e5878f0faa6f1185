//! Devices and the endpoint on a bad network. A failure names the seed that repeats it.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::block::Block;
use super::super::code::{CHANGED, CONTINUE, GET, POST, PUT};
use super::super::option::BLOCK1;
use super::network::World;
use super::*;

/// A POST, a GET, an upload of three blocks, and a POST again; every body names its device.
fn script(device: u16) -> VecDeque<Message> {
    let message = |method, body: &[u8]| confirmable(0, method).message.with_payload(body);
    let block = |number: u32, more| {
        let value = Block {
            number,
            more,
            size_exponent: 0,
        }
        .encode();
        message(PUT, &[device as u8; 16]).with_option(BLOCK1, value)
    };
    let first = message(POST, format!("first of {device}").as_bytes());
    let last = message(POST, format!("last of {device}").as_bytes());
    let read = message(GET, format!("read of {device}").as_bytes());
    VecDeque::from([
        first,
        read,
        block(0, true),
        block(1, true),
        block(2, false),
        last,
    ])
}

#[test]
fn every_exchange_is_answered_or_given_up_and_processed_once_whatever_the_network_does() {
    let mut gave_up = 0;
    for seed in 0..300 {
        let mut world = World::new(seed, script);
        let start = world.server.now;
        world.run();
        for (index, device) in world.devices.iter().enumerate() {
            let expected: Vec<Vec<u8>> = vec![
                format!("first of {index}").into_bytes(),
                format!("read of {index}").into_bytes(),
                vec![],
                vec![],
                vec![index as u8; 48],
                format!("last of {index}").into_bytes(),
            ];
            let answered = device.answers.len();
            assert!(
                device.gave_up || answered == expected.len(),
                "seed {seed}, device {index}"
            );
            for (answer, expected) in device.answers.iter().zip(&expected) {
                let code = if expected.is_empty() {
                    CONTINUE
                } else {
                    CHANGED
                };
                assert_eq!(
                    (answer.code, &answer.payload),
                    (code, expected),
                    "seed {seed}, device {index}"
                );
            }
            gave_up += u32::from(device.gave_up);
        }
        assert!(
            world.loss > 0 || world.devices.iter().all(|device| !device.gave_up),
            "seed {seed}"
        );
        let counters = world.server.endpoint.counters();
        assert!(
            counters.incomplete == 0 || counters.bodies_dropped > 0,
            "seed {seed}: blocks are missed only where the upload was idle for too long"
        );
        assert!(
            world.processed.values().all(|times| *times == 1),
            "seed {seed}: {:?}",
            world.processed
        );
        assert_eq!(world.server.endpoint.state_left(), 0, "seed {seed}");
        assert!(world.server.now > start + Duration::from_secs(247));
    }
    assert!(gave_up > 0, "the network was harsh enough to try giving up");
}
