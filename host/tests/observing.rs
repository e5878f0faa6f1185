//! From the room to the device: observations of `/getmsg` over UDP, against a homeserver whose rooms the test fills.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coap::{Datagram, Message, MessageType, Token, code, option};
use gateway::event_loop::serve;
use gateway::request::{Gateway, Snapshot};
use tokio::sync::oneshot;
use transport::UdpTransport;

use crate::default_rule::gateway;
use crate::http_call::homeserver;
use crate::observing_device::{A_WHILE, Device, get};
use crate::timeline::Timeline;

/// Serves a gateway while `test` runs.
pub async fn observing<F: Future<Output = ()>>(
    refresh: Duration,
    test: impl FnOnce(Rc<Gateway>, Rc<Timeline>, SocketAddr) -> F,
) {
    observing_with(refresh, |_| {}, test).await;
}

/// The same, with a change of its limits.
pub async fn observing_with<F: Future<Output = ()>>(
    refresh: Duration,
    change: impl Fn(&mut Snapshot),
    test: impl FnOnce(Rc<Gateway>, Rc<Timeline>, SocketAddr) -> F,
) {
    let test = |gateway, homeserver, address, stop: oneshot::Sender<()>| {
        let test = test(gateway, homeserver, address);
        async move {
            test.await;
            drop(stop);
        }
    };
    let change = |snapshot: &mut Snapshot| {
        snapshot.limits.observation.refresh = refresh;
        snapshot.limits.drain = Duration::ZERO;
        change(snapshot);
    };
    serving(change, test).await;
}

/// Serves a gateway until `test` lets it stop.
pub async fn observing_until<F: Future<Output = ()>>(
    refresh: Duration,
    drain: Duration,
    test: impl FnOnce(Rc<Gateway>, Rc<Timeline>, SocketAddr, oneshot::Sender<()>) -> F,
) {
    let change = |snapshot: &mut Snapshot| {
        snapshot.limits.observation.refresh = refresh;
        snapshot.limits.drain = drain;
    };
    serving(change, test).await;
}

async fn serving<F: Future<Output = ()>>(
    change: impl Fn(&mut Snapshot),
    test: impl FnOnce(Rc<Gateway>, Rc<Timeline>, SocketAddr, oneshot::Sender<()>) -> F,
) {
    let homeserver_of_the_test = Rc::new(Timeline::start());
    let gateway = Rc::new(gateway(vec![homeserver(
        homeserver_of_the_test.url(),
        None,
    )]));
    let loopback = "127.0.0.1:0".parse().expect("it is an address");
    let transport = UdpTransport::bind(loopback).unwrap_or_else(|error| panic!("{error}"));
    let address = transport.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    gateway.snapshots.update(change);
    let served = serve(
        vec![transport],
        &gateway,
        async move { drop(stopped.await) },
    );
    let tested = test(gateway.clone(), homeserver_of_the_test, address, stop);
    tokio::join!(served, tested);
}

/// A device that observes `!a`, where "before" was said, with the poll waiting.
pub async fn observer(homeserver: &Timeline, address: SocketAddr) -> Device {
    homeserver.say("!a", "before");
    let mut device = Device::new(address).await;
    assert_eq!(device.observe("!a").await, "before");
    homeserver.until_waiting(1).await;
    device
}

pub const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn messages_reach_their_observer_in_order() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        let mut device = Device::new(address).await;
        assert_eq!(device.observe("!a").await, "before");
        homeserver.until_waiting(1).await;
        homeserver.say("!a", "first");
        homeserver.say("!b", "of another room");
        homeserver.say("!a", "second");
        assert_eq!(device.notified().await, "first");
        assert_eq!(device.notified().await, "second");
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn the_next_message_waits_until_the_last_one_is_acknowledged() {
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        homeserver.say("!a", "first");
        homeserver.say("!a", "second");
        let first = device.receive().await;
        device.is_left_alone().await;
        let again = device.receive().await;
        assert_eq!(again, first, "it is sent again, unchanged");
        device.acknowledge(&again).await;
        assert_eq!(device.notified().await, "second");
    })
    .await;
}

#[tokio::test]
async fn a_poll_retries_until_an_unreachable_homeserver_is_back() {
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        homeserver.fail(Some((502, "M_UNKNOWN")));
        homeserver.say("!a", "while it was unreachable");
        device.is_left_alone().await;
        homeserver.fail(None);
        assert_eq!(device.notified().await, "while it was unreachable");
    })
    .await;
}

#[tokio::test]
async fn an_access_token_that_is_no_longer_valid_ends_the_observation() {
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        homeserver.fail(Some((401, "M_UNKNOWN_TOKEN")));
        let last = device.receive().await;
        assert_eq!(last.message.code, code::UNAUTHORIZED);
        assert_eq!(last.token, Token::new(b"!a").expect("it is short"));
    })
    .await;
}

#[tokio::test]
async fn reset_and_observe_1_end_the_poll_as_well() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = observer(&homeserver, address).await;
        device.ask("!a", get("!a", Some(1))).await;
        homeserver.until_waiting(0).await;
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.say("!a", "unwanted");
        let notification = device.receive().await;
        let reset = Datagram::empty(MessageType::Reset, notification.message_id);
        device.send(&reset).await;
        homeserver.until_waiting(0).await;
    })
    .await;
}

#[tokio::test]
async fn logging_out_ends_the_observations_of_the_account() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = observer(&homeserver, address).await;
        let logout = Message::new(code::POST)
            .with_option(option::URI_PATH, "logout")
            .with_option(option::ACCESS_TOKEN, "device-token");
        let response = device.ask("bye", logout).await;
        assert_eq!(response.message.code, code::CHANGED);
        let last = device.receive().await;
        assert_eq!(last.message.code, code::UNAUTHORIZED);
        homeserver.until_waiting(0).await;
    })
    .await;
}

#[tokio::test]
async fn more_messages_than_a_sync_response_has_room_for_leave_the_newest() {
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        homeserver.fail(Some((503, "M_UNKNOWN")));
        (0..60).for_each(|number| homeserver.say("!a", &number.to_string()));
        tokio::time::sleep(A_WHILE).await;
        homeserver.fail(None);
        for number in 60 - 32..60 {
            assert_eq!(device.notified().await, number.to_string());
        }
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn the_last_notification_of_a_quiet_room_is_repeated_and_fresh_until_then() {
    let refresh = Duration::from_secs(1);
    observing(refresh, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        let response = device.ask("!a", get("!a", Some(0))).await;
        let age = response.message.uint_option(option::MAX_AGE);
        assert!(age.is_some_and(|age| age > 1), "{age:?}");
        for _ in 0..2 {
            assert_eq!(device.notified().await, "before");
        }
        homeserver.say("!a", "after");
        assert_eq!(device.notified().await, "after");
        assert_eq!(device.notified().await, "after");
    })
    .await;
}
