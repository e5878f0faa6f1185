//! Observations whose device loses a right by a reload.

use std::sync::Arc;

use coap::{Message, code, option};
use gateway::request::Gateway;
use homeserver::{UpstreamSettings, Upstreams};

use crate::http_call::{homeserver, settings};
use crate::observing::{HOUR, observing};
use crate::observing_device::{Device, body, get, get_without_token};
use crate::timeline::Timeline;

/// As a reload does it, with these token peers and disabled resources.
fn reconfigure(gateway: &Gateway, homeserver_of_the_test: &Timeline, peers: &str, disabled: &str) {
    let configured = homeserver(homeserver_of_the_test.url(), Some("configured"));
    let upstreams = Upstreams::new(UpstreamSettings {
        token_peers: vec![peers.parse().expect("it is a prefix")].into(),
        ..settings(vec![configured])
    });
    let upstreams = Arc::new(upstreams.expect("no file is read"));
    gateway.snapshots.update(|snapshot| {
        snapshot.upstreams = upstreams.clone();
        snapshot.disabled = [disabled.to_owned()].into();
    });
}

/// The code of the last notification.
async fn last(device: &Device) -> u8 {
    let last = device.receive().await;
    device.acknowledge(&last).await;
    assert!(last.message.option(option::OBSERVE).is_none());
    last.message.code
}

/// Begins an observation with this request.
async fn begin(device: &mut Device, request: Message) {
    let response = device.ask("t", request).await;
    assert!(response.message.option(option::OBSERVE).is_some());
    body(&response);
}

#[tokio::test]
async fn a_device_that_may_no_longer_use_the_configured_token_gets_4_01_and_nothing_more() {
    observing(HOUR, |gateway, timeline, address| async move {
        reconfigure(&gateway, &timeline, "127.0.0.0/8", "");
        timeline.say("!a", "before");
        let mut first = Device::new(address).await;
        let mut second = Device::at("127.0.0.2", address).await;
        let mut own = Device::new(address).await;
        begin(&mut first, get_without_token("!a", Some(0))).await;
        begin(&mut second, get_without_token("!a", Some(0))).await;
        begin(&mut own, get("!a", Some(0))).await;
        timeline.until_waiting(2).await;
        reconfigure(&gateway, &timeline, "127.0.0.2/32", "");
        assert_eq!(last(&first).await, code::UNAUTHORIZED);
        for text in ["by the poll that waited", "by the next one"] {
            timeline.say("!a", text);
            assert_eq!(second.notified().await, text);
            assert_eq!(own.notified().await, text);
            timeline.until_waiting(2).await;
        }
        first.is_left_alone().await;
        let refused = first.ask("t", get_without_token("!a", Some(0))).await;
        assert_eq!(refused.message.code, code::UNAUTHORIZED);
        reconfigure(&gateway, &timeline, "192.0.2.1/32", "");
        assert_eq!(last(&second).await, code::UNAUTHORIZED);
        timeline.until_waiting(1).await;
    })
    .await;
}

#[tokio::test]
async fn an_observation_of_a_disabled_resource_ends_at_once_with_4_04() {
    observing(HOUR, |gateway, timeline, address| async move {
        timeline.say("!a", "before");
        let mut device = Device::new(address).await;
        begin(&mut device, get("!a", Some(0))).await;
        timeline.until_waiting(1).await;
        reconfigure(&gateway, &timeline, "127.0.0.0/8", "getmsg");
        assert_eq!(last(&device).await, code::NOT_FOUND);
        timeline.until_waiting(0).await;
        timeline.say("!a", "unheard");
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn an_observation_of_a_homeserver_that_devices_may_no_longer_name_ends_at_once_with_5_05() {
    observing(HOUR, |gateway, timeline, address| async move {
        timeline.say("!a", "before");
        let mut device = Device::new(address).await;
        let proxied = Message::new(code::GET)
            .with_option(option::URI_PATH, "getmsg")
            .with_option(option::PROXY_URI, format!("{}E/!a", timeline.url()))
            .with_uint_option(option::ACCEPT, 50)
            .with_uint_option(option::OBSERVE, 0)
            .with_option(option::ACCESS_TOKEN, "device-token");
        begin(&mut device, proxied).await;
        timeline.until_waiting(1).await;
        let elsewhere = "http://127.0.0.1:9".parse().expect("it is a URL");
        let upstreams = Upstreams::new(settings(vec![homeserver(elsewhere, None)]));
        let upstreams = Arc::new(upstreams.expect("no file is read"));
        gateway
            .snapshots
            .update(|snapshot| snapshot.upstreams = upstreams.clone());
        assert_eq!(last(&device).await, code::PROXYING_NOT_SUPPORTED);
        timeline.until_waiting(0).await;
    })
    .await;
}
