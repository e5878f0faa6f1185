//! The end of a gateway: it finishes exchanges that have begun, within a deadline.

use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::stub::Behaviour;
use serde_json::json;

use crate::stage::Stubbed;

#[test]
fn an_idle_gateway_ends_at_once_on_sigterm_with_status_0() {
    let mut stubbed = Stubbed::always(Behaviour::Hang);
    let started = Instant::now();
    stubbed.gateway.terminate();
    assert_eq!(stubbed.gateway.wait(), Some(0), "{}", stubbed.gateway.log());
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "it took {:?}",
        started.elapsed()
    );
}

#[test]
fn an_exchange_that_has_begun_gets_its_response_after_sigterm() {
    let sent = Behaviour::json(200, json!({ "event_id": "$drained" }));
    let Stubbed {
        stub,
        mut gateway,
        mut device,
    } = Stubbed::always(Behaviour::Late(Duration::from_secs(3), Box::new(sent)));
    let send = crate::stage::send_to(&stub.origin);
    let exchange = thread::spawn(move || device.request(&send));
    let started = Instant::now();
    while stub.received().is_empty() && started.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(20));
    }
    gateway.terminate();
    let response = exchange.join().expect("a response comes");
    assert_eq!(
        (response.code.as_str(), response.field("event_id").as_str()),
        ("2.04", "$drained")
    );
    assert_eq!(gateway.wait(), Some(0), "{}", gateway.log());
}

#[test]
fn a_homeserver_that_hangs_does_not_keep_the_gateway_from_ending() {
    let Stubbed {
        stub,
        mut gateway,
        mut device,
    } = Stubbed::always(Behaviour::Hang);
    let send = crate::stage::send_to(&stub.origin);
    let exchange = thread::spawn(move || device.try_request(&send));
    let started = Instant::now();
    while stub.received().is_empty() && started.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(20));
    }
    gateway.terminate();
    assert_eq!(gateway.wait(), Some(0), "{}", gateway.log());
    // Either way the device is not left in the dark for long; which way depends on the deadline that came first.
    let _ = exchange.join().expect("the client ends");
}
