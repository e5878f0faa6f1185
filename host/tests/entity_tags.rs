//! The ETag of a message is the same wherever a device gets it, so that a GET with it gets 2.03.

use std::time::Duration;

use coap::{Datagram, Message, code, option};

use crate::default_rule::gateway;
use crate::http_call::homeserver;
use crate::observing::{HOUR, observing};
use crate::observing_device::{Device, get};
use crate::over_udp::while_serving;
use crate::timeline::Timeline;

/// More than a block of 64 bytes, with the sender.
const LONG: &str =
    "a message of more than sixty-four bytes, which therefore leaves in blocks of that size";

fn tag(datagram: &Datagram) -> &[u8] {
    let tag = datagram.message.option(option::ETAG);
    tag.unwrap_or_else(|| panic!("no ETag: {datagram:?}"))
}

/// A GET of `!a` for a block of 64 bytes.
fn get_block(number: u32, observe: Option<u32>) -> Message {
    get("!a", observe).with_uint_option(option::BLOCK2, number << 4 | 2)
}

async fn acknowledged(device: &Device) -> Datagram {
    let notification = device.receive().await;
    device.acknowledge(&notification).await;
    notification
}

#[tokio::test]
async fn a_notification_a_get_and_a_later_block_have_one_etag_for_a_message() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", LONG);
        let mut device = Device::new(address).await;
        let first = device.ask("o", get_block(0, Some(0))).await;
        homeserver.until_waiting(1).await;
        homeserver.say("!a", &LONG.to_uppercase());
        let notification = acknowledged(&device).await;
        assert_ne!(tag(&first), tag(&notification));
        let rest = device.ask("b", get_block(1, None)).await;
        assert_eq!(tag(&rest), tag(&notification));
        let response = device.ask("g", get("!a", None)).await;
        assert_eq!(tag(&response), tag(&notification));

        let with_tag = get("!a", None).with_option(option::ETAG, tag(&notification));
        let valid = device.ask("v", with_tag).await;
        assert_eq!(valid.message.code, code::VALID);
        assert_eq!(valid.message.uint_option(option::MAX_AGE), Some(0));
        let old = get("!a", None).with_option(option::ETAG, tag(&first));
        assert_eq!(device.ask("n", old).await.message.code, code::CONTENT);
    })
    .await;
}

#[tokio::test]
async fn no_cache_may_keep_a_message_that_nobody_observes() {
    let timeline = Timeline::start();
    timeline.say("!a", "before");
    let gateway = gateway(vec![homeserver(timeline.url(), None)]);
    gateway
        .snapshots
        .update(|snapshot| snapshot.limits.observation.polls = 0);
    while_serving(&gateway, Duration::ZERO, |address| async move {
        let mut device = Device::new(address).await;
        let response = device.ask("g", get("!a", None)).await;
        assert_eq!(response.message.uint_option(option::MAX_AGE), Some(0));
        let response = device.ask("o", get("!a", Some(0))).await;
        assert_eq!(response.message.code, code::CONTENT);
        assert_eq!(response.message.option(option::OBSERVE), None);
        assert_eq!(response.message.uint_option(option::MAX_AGE), Some(0));
    })
    .await;
}
