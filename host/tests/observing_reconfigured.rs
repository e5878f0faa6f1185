//! Observations while the configuration changes under them.

use std::sync::Arc;

use coap::{code, option};
use gateway::request::Gateway;
use homeserver::{Homeserver, Upstreams};

use crate::http_call::{homeserver, settings};
use crate::observing::{HOUR, observer, observing};
use crate::observing_device::{Device, get};

/// As a reload does it.
fn reconfigure(gateway: &Gateway, homeservers: Vec<Homeserver>) {
    let upstreams = Upstreams::new(settings(homeservers)).expect("no file is read");
    let upstreams = Arc::new(upstreams);
    gateway
        .snapshots
        .update(|service| service.upstreams = upstreams.clone());
}

#[tokio::test]
async fn an_observation_continues_if_its_homeserver_is_still_configured() {
    observing(
        HOUR,
        |gateway, homeserver_of_the_test, address| async move {
            let device = observer(&homeserver_of_the_test, address).await;
            let elsewhere = "http://127.0.0.1:9".parse().expect("it is a URL");
            reconfigure(
                &gateway,
                vec![
                    homeserver(homeserver_of_the_test.url(), Some("another-token")),
                    homeserver(elsewhere, None),
                ],
            );
            for text in ["by the poll that waited", "by the next one"] {
                homeserver_of_the_test.say("!a", text);
                assert_eq!(device.notified().await, text);
                homeserver_of_the_test.until_waiting(1).await;
            }
        },
    )
    .await;
}

#[tokio::test]
async fn an_observation_ends_at_once_with_5_03_if_its_homeserver_is_no_longer_configured() {
    observing(
        HOUR,
        |gateway, homeserver_of_the_test, address| async move {
            let mut device = observer(&homeserver_of_the_test, address).await;
            let elsewhere = "http://127.0.0.1:9".parse().expect("it is a URL");
            reconfigure(&gateway, vec![homeserver(elsewhere, None)]);
            let last = device.receive().await;
            device.acknowledge(&last).await;
            assert_eq!(last.message.code, code::SERVICE_UNAVAILABLE);
            assert!(last.message.uint_option(option::MAX_AGE).is_some());
            homeserver_of_the_test.until_waiting(0).await;
            // The token that the device sent for the former homeserver has gone nowhere else.
            let syncs = homeserver_of_the_test.syncs().len();
            homeserver_of_the_test.say("!a", "unheard");
            device.is_left_alone().await;
            assert_eq!(homeserver_of_the_test.syncs().len(), syncs);
            reconfigure(
                &gateway,
                vec![homeserver(homeserver_of_the_test.url(), None)],
            );
            assert_eq!(device.observe("!a").await, "unheard");
        },
    )
    .await;
}

#[tokio::test]
async fn an_observation_of_a_rule_that_is_gone_ends_at_once_with_4_04() {
    observing(
        HOUR,
        |gateway, homeserver_of_the_test, address| async move {
            let device = observer(&homeserver_of_the_test, address).await;
            let upstreams = Upstreams::new(settings(vec![homeserver(
                homeserver_of_the_test.url(),
                None,
            )]));
            let upstreams = Arc::new(upstreams.expect("no file is read"));
            gateway.snapshots.update(|service| {
                service.upstreams = upstreams.clone();
                service.rules = Arc::default();
            });
            let last = device.receive().await;
            device.acknowledge(&last).await;
            assert_eq!(last.message.code, code::NOT_FOUND);
            homeserver_of_the_test.until_waiting(0).await;
        },
    )
    .await;
}

#[tokio::test]
async fn other_bounds_apply_to_new_observations_and_not_to_existing_ones() {
    observing(
        HOUR,
        |gateway, homeserver_of_the_test, address| async move {
            let device = observer(&homeserver_of_the_test, address).await;
            gateway
                .snapshots
                .update(|service| service.limits.coap.observations = 0);
            reconfigure(
                &gateway,
                vec![homeserver(homeserver_of_the_test.url(), None)],
            );
            let mut second = Device::new(address).await;
            let response = second.ask("t", get("!a", Some(0))).await;
            assert_eq!(response.message.code, code::CONTENT);
            assert!(
                response.message.option(option::OBSERVE).is_none(),
                "there is no room"
            );
            homeserver_of_the_test.say("!a", "still notified");
            assert_eq!(device.notified().await, "still notified");
        },
    )
    .await;
}
