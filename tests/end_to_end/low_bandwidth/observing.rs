//! Observations of `/sync`: each change is pushed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::option;
use comatrix_tests::observer::Observer;
use comatrix_tests::stub::Behaviour;
use comatrix_tests::wire::Loss;

use super::notifications::{QUIET, SOON, eventually, next, position, texts};
use super::stage::{KEY_VERSION, RULE, gateway, sync, with_keys};
use super::timeline::{Timeline, body};
use crate::secured::stage::{PATIENCE, Stage};

#[test]
fn each_change_is_pushed_once_and_in_order() {
    let homeserver = Timeline::start();
    let gateway = gateway(&homeserver.stub.origin);
    let observer = Observer::start(gateway.address, &with_keys(sync("")));
    let first = next(&observer, SOON);
    assert!(first.option(option::OBSERVE).is_some(), "{first:?}");
    assert_eq!(position(&first), "s0");
    for number in 0..5 {
        homeserver.say();
        let notification = next(&observer, SOON);
        assert_eq!(texts(&notification), [body(number)]);
        assert_eq!(position(&notification), format!("s{}", number + 1));
    }
    assert_eq!(observer.next(QUIET), None, "nothing is pushed twice");
}

#[test]
fn an_observation_begins_where_the_device_says() {
    let homeserver = Timeline::start();
    (0..3).for_each(|_| homeserver.say());
    let gateway = gateway(&homeserver.stub.origin);
    let observer = Observer::start(gateway.address, &with_keys(sync("?since=s1")));
    let first = next(&observer, SOON);
    assert_eq!(texts(&first), [body(1), body(2)]);
    homeserver.say();
    assert_eq!(texts(&next(&observer, SOON)), [body(3)]);
}

#[test]
fn a_device_with_a_session_observes_too() {
    let homeserver = Timeline::start();
    let stage = Stage::before(&homeserver.stub.origin, "--psk", Loss::NOTHING, RULE);
    let credentials = stage.credentials_with_key();
    let uri = format!("coaps://{}", stage.address());
    let observer = Observer::start_with(&uri, Some(&credentials), &with_keys(sync("")));
    assert_eq!(position(&next(&observer, PATIENCE)), "s0");
    for number in 0..3 {
        homeserver.say();
        assert_eq!(texts(&next(&observer, SOON)), [body(number)]);
    }
}

#[test]
fn a_homeserver_that_answers_a_minute_late_delays_its_changes_and_loses_none() {
    let late = AtomicBool::new(true);
    let homeserver = Timeline::with(move |since, response| {
        let is_first = since == Some(0) && late.swap(false, Ordering::SeqCst);
        match is_first {
            true => Behaviour::Late(Duration::from_secs(60), Box::new(response)),
            false => response,
        }
    });
    let gateway = gateway(&homeserver.stub.origin);
    let observer = Observer::start(gateway.address, &with_keys(sync("")));
    assert_eq!(position(&next(&observer, SOON)), "s0");
    eventually("it polls", SOON, || homeserver.polls().contains(&Some(0)));
    homeserver.say();
    assert_eq!(texts(&next(&observer, Duration::from_secs(200))), [body(0)]);
    homeserver.say();
    assert_eq!(texts(&next(&observer, SOON)), [body(1)]);
    assert_eq!(observer.next(QUIET), None, "nothing is pushed twice");
}

#[test]
fn a_request_with_a_key_version_that_is_not_known_is_4_02() {
    let homeserver = Timeline::start();
    let gateway = gateway(&homeserver.stub.origin);
    let mut device = Aiocoap::start(gateway.address);
    let unknown = sync("").option(KEY_VERSION, &[2]);
    let response = device.request(&unknown);
    assert_eq!(response.code, "4.02", "{response:?}");
    assert!(
        response.text().contains("key version 1"),
        "{}",
        response.text()
    );
}
