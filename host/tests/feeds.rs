//! Feeds: each piece reaches its device once, and the position moves only when the device has it.

use std::time::{Duration, Instant};

use coap::{Block, Datagram, MessageType, code, option};
use runtime::{MountTable, Mounted, RuleLimits};

use crate::default_rule::{limits, swap};
use crate::feeding_stage::{ask, feed, feeding, feeding_with, get, piece, stream_rule};
use crate::observing_device::{A_WHILE, Device};

#[tokio::test]
async fn each_piece_comes_once_and_the_next_poll_only_after_its_acknowledgement() {
    feeding(|_, stream, address| async move {
        stream.happen("before");
        let (device, first) = feed(address, 0).await;
        assert_eq!(piece(&first.message.payload).as_deref(), Some("before"));
        stream.until_polled(1).await;
        stream.happen("one");
        let push = device.receive().await;
        assert_eq!(push.message_type, MessageType::Confirmable);
        assert_eq!(piece(&push.message.payload).as_deref(), Some("one"));
        stream.happen("two");
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(stream.positions(), [1], "it has acknowledged nothing");
        device.acknowledge(&push).await;
        let push = device.receive().await;
        assert_eq!(piece(&push.message.payload).as_deref(), Some("two"));
        assert_eq!(stream.positions(), [1, 2]);
        device.acknowledge(&push).await;
        stream.until_polled(3).await;
        device.is_left_alone().await;
    })
    .await;
}

/// The request for a block of the push: without Observe, and with everything that names the resource.
async fn block(device: &mut Device, position: usize, number: u32) -> Datagram {
    let block = Block {
        number,
        more: false,
        size_exponent: 6,
    };
    let message = get(position, false).with_option(option::BLOCK2, block.encode());
    ask(device, "b", message).await
}

#[tokio::test]
async fn a_large_piece_comes_in_blocks_of_one_etag_and_counts_when_the_last_one_is_fetched() {
    feeding(|_, stream, address| async move {
        let (mut device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        let large = "x".repeat(3000);
        stream.happen(&large);
        let push = device.receive().await;
        device.acknowledge(&push).await;
        let etag = push.message.option(option::ETAG).map(<[u8]>::to_vec);
        assert!(etag.is_some(), "{push:?}");
        let mut body = push.message.payload.clone();
        stream.happen("next");
        for number in 1.. {
            assert_eq!(stream.polls_at(1), 0, "blocks are missing");
            let part = block(&mut device, 0, number).await;
            let of_part = part.message.option(option::ETAG).map(<[u8]>::to_vec);
            assert_eq!(of_part, etag);
            body.extend(&part.message.payload);
            let sent = part.message.option(option::BLOCK2).expect("a block");
            if !Block::decode(sent).expect("a block").more {
                break;
            }
        }
        assert_eq!(piece(&body), Some(large));
        let push = device.receive().await;
        assert_eq!(piece(&push.message.payload).as_deref(), Some("next"));
    })
    .await;
}

#[tokio::test]
async fn the_first_poll_waits_until_a_first_response_in_blocks_is_fetched() {
    feeding(|_, stream, address| async move {
        stream.happen(&"x".repeat(1500));
        let (mut device, first) = feed(address, 0).await;
        assert_eq!(first.message.payload.len(), 1024);
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(stream.positions(), [0; 0]);
        block(&mut device, 0, 1).await;
        stream.until_polled(1).await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_asks_anew_instead_of_fetching_continues_from_its_own_position() {
    feeding(|_, stream, address| async move {
        let (mut device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        stream.happen(&"x".repeat(3000));
        let push = device.receive().await;
        device.acknowledge(&push).await;
        // It has lost the blocks, and knows only its former position.
        let again = ask(&mut device, "f", get(0, true)).await;
        assert!(again.message.option(option::OBSERVE).is_some());
        assert_eq!(again.message.payload[..50], push.message.payload[..50]);
        assert_eq!(stream.polls_at(1), 0, "it does not have the piece yet");
    })
    .await;
}

#[tokio::test]
async fn a_feed_goes_on_after_broken_connections_and_repeats_no_piece() {
    feeding(|_, stream, address| async move {
        let (device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        stream.break_off(2);
        stream.happen("one");
        let push = device.receive().await;
        assert_eq!(piece(&push.message.payload).as_deref(), Some("one"));
        device.acknowledge(&push).await;
        stream.until_polled(1).await;
        assert!(stream.polls_at(0) >= 3);
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_feed_ends_with_4_01_when_its_token_does_and_waits_as_long_as_a_429_asks_for() {
    feeding(|_, stream, address| async move {
        let (device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        stream.fail(Some((
            429,
            r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}"#,
        )));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let polls = stream.polls_at(0);
        stream.fail(Some((401, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#)));
        let last = device.receive().await;
        assert_eq!(last.message.code, code::UNAUTHORIZED, "{last:?}");
        assert_eq!(last.message.option(option::OBSERVE), None);
        assert!(stream.polls_at(0) <= polls + 1);
        device.acknowledge(&last).await;
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_rejects_a_push_with_rst_has_no_feed_any_more() {
    feeding(|_, stream, address| async move {
        let (device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        stream.happen("one");
        let push = device.receive().await;
        let reset = Datagram::empty(MessageType::Reset, push.message_id);
        device.send(&reset).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(stream.positions(), [0]);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_hears_nothing_for_long_is_asked_whether_it_is_there() {
    let soon = Duration::from_millis(500);
    let refresh = |snapshot: &mut gateway::request::Snapshot| {
        snapshot.limits.observation.refresh = soon;
    };
    feeding_with(limits(), refresh, |_, stream, address| async move {
        let (device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        for _ in 0..2 {
            let push = device.receive().await;
            assert_eq!(piece(&push.message.payload), None);
            device.acknowledge(&push).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_above_the_rules_limit_ends_the_feed_with_5_03_and_nothing_is_lost() {
    let small = RuleLimits {
        body: 1000,
        ..limits()
    };
    feeding_with(
        small,
        |_| {},
        |_, stream, address| async move {
            let (device, _) = feed(address, 0).await;
            stream.until_polled(0).await;
            stream.happen(&"x".repeat(2000));
            let last = device.receive().await;
            assert_eq!(last.message.code, code::SERVICE_UNAVAILABLE, "{last:?}");
            assert!(last.message.option(option::MAX_AGE).is_some());
            assert_eq!(stream.positions(), [0], "its position has not moved");
        },
    )
    .await;
}

#[tokio::test]
async fn a_host_has_its_share_of_the_polls_and_other_hosts_have_theirs() {
    let few = |snapshot: &mut gateway::request::Snapshot| {
        snapshot.limits.observation.polls = 16;
    };
    feeding_with(limits(), few, |_, stream, address| async move {
        let mut devices = Vec::new();
        for (number, observes) in [(1, true), (2, true), (3, false)] {
            let mut device = Device::new(address).await;
            let first = ask(&mut device, "f", get(0, true)).await;
            let observed = first.message.option(option::OBSERVE).is_some();
            assert_eq!(observed, observes, "device {number}");
            devices.push(device);
        }
        // One that registers again keeps its place.
        let again = ask(&mut devices[0], "f", get(0, true)).await;
        assert!(again.message.option(option::OBSERVE).is_some());
        let mut other = Device::at("127.0.0.2", address).await;
        let first = ask(&mut other, "f", get(0, true)).await;
        assert!(first.message.option(option::OBSERVE).is_some());
        stream.happen("one");
        for device in [&devices[0], &devices[1], &other] {
            let push = device.receive().await;
            assert_eq!(piece(&push.message.payload).as_deref(), Some("one"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_revision_continues_where_the_device_is() {
    feeding(|gateway, stream, address| async move {
        let (device, _) = feed(address, 0).await;
        stream.until_polled(0).await;
        let mounted = Mounted {
            mount: Vec::new(),
            revision: stream_rule(limits()).into(),
        };
        let table = MountTable::new(vec![mounted]);
        swap(&gateway, table.unwrap_or_else(|error| panic!("{error}")));
        stream.happen("one");
        let push = device.receive().await;
        device.acknowledge(&push).await;
        stream.until_polled(1).await;
        stream.happen("two");
        let push = device.receive().await;
        assert_eq!(piece(&push.message.payload).as_deref(), Some("two"));
        // The rule is gone.
        swap(&gateway, MountTable::default());
        device.acknowledge(&push).await;
        let last = device.receive().await;
        assert_eq!(last.message.code, code::NOT_FOUND, "{last:?}");
    })
    .await;
}

#[tokio::test]
async fn a_homeserver_with_news_without_end_is_polled_five_times_a_second_at_most() {
    feeding(|_, stream, address| async move {
        for _ in 0..100 {
            stream.happen("again");
        }
        let (device, _) = feed(address, 0).await;
        let began = Instant::now();
        let mut pushes = 0;
        while began.elapsed() < Duration::from_secs(2) {
            let push = device.receive().await;
            device.acknowledge(&push).await;
            pushes += 1;
        }
        assert!((2..=11).contains(&pushes), "{pushes}");
    })
    .await;
}
