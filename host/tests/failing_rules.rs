//! Revisions that fail while they serve: rolled back or out of service, but never because of one device. The tests of
//! what a hostile device may try are in `hostile_inputs.rs`.

use coap::{code, option};
use contract::Digest;
use gateway::rule_manager::Event;
use runtime::Alarm;

use crate::stage::{Stage, saying, trapping};

#[tokio::test]
async fn a_revision_that_fails_in_eight_networks_is_rolled_back_automatically() {
    let stage = Stage::new("swap-failing", &[("a", saying("good"))]);
    stage.swapped("a", &trapping()).await;
    let codes = stage.hundred_calls("a").await;
    assert!(
        codes
            .iter()
            .all(|code| *code == code::INTERNAL_SERVER_ERROR)
    );
    let status = stage.until("a", |status| status.failure.is_some()).await;
    assert_eq!(stage.test("a").await, "good");
    assert_eq!((status.previous, status.paused_seconds), (None, None));
}

#[tokio::test]
async fn one_device_cannot_cause_a_rollback() {
    let stage = Stage::new("swap-one-device", &[("a", saying("good"))]);
    stage.swapped("a", &trapping()).await;
    for _ in 0..500 {
        stage.test_from("192.0.2.1:5683", "a").await;
    }
    let status = stage.status("a").await;
    assert_eq!((status.failure, status.paused_seconds), (None, None));
}

#[tokio::test]
async fn a_failing_rule_without_a_previous_revision_pauses_and_others_keep_serving() {
    let rules = [("a", trapping()), ("b", saying("b"))];
    let stage = Stage::new("swap-pause", &rules);
    stage.hundred_calls("a").await;
    stage
        .until("a", |status| status.paused_seconds.is_some())
        .await;
    let response = stage.test_from("[::1]:5683", "a").await;
    assert_eq!(response.code, code::SERVICE_UNAVAILABLE);
    assert!(
        response
            .uint_option(option::MAX_AGE)
            .is_some_and(|age| (1..=2).contains(&age))
    );
    assert_eq!(stage.test("b").await, "b");
    // Pauses grow: the first is one second, the third four.
    for _ in 0..2 {
        stage
            .until("a", |status| status.paused_seconds.is_none())
            .await;
        stage.hundred_calls("a").await;
        stage
            .until("a", |status| status.paused_seconds.is_some())
            .await;
    }
    let status = stage.status("a").await;
    assert!(status.paused_seconds >= Some(2), "{status:?}");
    stage.swapped("a", &saying("mended")).await;
    assert_eq!(stage.test("a").await, "mended");
}

#[tokio::test]
async fn an_alarm_of_a_revision_that_is_gone_leaves_the_one_of_the_same_code_alone() {
    let component = saying("good");
    let stage = Stage::new("swap-late-alarm", &[("a", component.clone())]);
    let revision = {
        let snapshot = stage.gateway.snapshots.load();
        let found = snapshot.rules.find(&["a", "test"], code::GET);
        let (revision, _) = found.unwrap_or_else(|mismatch| panic!("{mismatch:?}"));
        revision.id()
    };
    stage.swapped("a", &saying("better")).await;
    stage.swapped("a", &component).await;
    let late = Alarm {
        rule: "a".into(),
        revision,
        digest: Digest::of(&component),
        nothing_works: true,
        failed: Vec::new(),
        pending: None,
    };
    assert!(stage.events.send(Event::Alarm(late)).is_ok());
    let status = stage.status("a").await;
    assert_eq!((status.failure, status.paused_seconds), (None, None));
    assert_eq!(stage.test("a").await, "good");
}
