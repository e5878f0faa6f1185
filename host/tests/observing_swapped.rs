//! A rule that is replaced while many notifications are queued.

use crate::observing_again::swap_rule;
use crate::observing_by_hand::ObservingByHand;
use crate::timeline::Timeline;

/// As many messages as the former revision makes per turn of the event loop.
const MADE_PER_TURN: u64 = 64;

#[tokio::test]
async fn a_registration_after_a_swap_does_not_make_all_queued_messages_at_once() {
    let homeserver = Timeline::start();
    homeserver.say("!a", "before");
    let mut observing = ObservingByHand::new(&homeserver);
    for port in 1..=4 {
        observing.observe(port).await;
    }
    for number in 0..20 {
        homeserver.say("!a", &format!("message {number}"));
    }
    observing.turn();
    let call = observing.next_long_poll().expect("it is due");
    observing.make(call).await;
    let former = observing.snapshot().rules.rules()[0].revision.clone();
    let read = former.calls();
    swap_rule(&observing.gateway);
    observing.observe(5).await;
    let made = || former.calls() - read;
    assert_eq!(made(), 0, "the registration makes no message");
    assert!(observing.next_long_poll().is_none());
    assert_eq!(made(), MADE_PER_TURN);
    assert!(observing.next_long_poll().is_some());
    assert_eq!(made(), 4 * 20);
    assert_eq!(
        observing.broker.size(),
        (4, 1),
        "the new one has to register again"
    );
}

#[tokio::test]
async fn a_swap_makes_no_more_messages_than_there_is_room_for() {
    const OBSERVERS: u16 = 300;
    const ROOM: usize = 16 << 20;
    let homeserver = Timeline::start();
    homeserver.say("!a", "before");
    let mut observing = ObservingByHand::new(&homeserver);
    for port in 1..=OBSERVERS {
        observing.observe(port).await;
    }
    for _ in 0..8 {
        homeserver.say("!a", &"x".repeat(12_000));
    }
    observing.turn();
    let call = observing.next_long_poll().expect("it is due");
    observing.make(call).await;
    assert_eq!(observing.broker.size(), (usize::from(OBSERVERS), 1));
    let queued = observing.broker.queued_bytes();
    assert!(queued < 1 << 20, "{queued}: observers share the changes");
    swap_rule(&observing.gateway);
    observing.turn();
    let mut turns = 0;
    while observing.next_long_poll().is_none() {
        assert!(observing.broker.queued_bytes() <= ROOM + (16 << 10));
        turns += 1;
        let (size, queued) = (observing.broker.size(), observing.broker.queued_bytes());
        assert!(turns < 1000, "the swap ends: {size:?}, {queued}");
    }
    let (left, _) = observing.broker.size();
    assert!((100..250).contains(&left), "{left}");
    let (mut ended, mut sent, mut missed) = (0, 0, 0);
    while let Some((id, message)) = observing.broker.next_notification(observing.now) {
        let is_last = message.code == coap::code::SERVICE_UNAVAILABLE;
        ended += usize::from(is_last);
        sent += usize::from(!is_last);
        missed += missed_before(&message);
        let delivered = coap::ObserveEvent::Delivered(id);
        observing.broker.on_observe_event(observing.now, delivered);
    }
    assert_eq!(
        (ended, sent + missed),
        (usize::from(OBSERVERS) - left, 8 * left)
    );
    assert!(missed < 64, "{missed}: few devices were at the bound");
    assert!(observing.broker.queued_bytes() <= ROOM);
}

#[tokio::test]
async fn devices_that_register_during_a_swap_stay_registered_and_miss_nothing() {
    let homeserver = Timeline::start();
    homeserver.say("!a", "before");
    let mut observing = ObservingByHand::new(&homeserver);
    for port in 1..=4 {
        observing.observe(port).await;
    }
    for number in 0..20 {
        homeserver.say("!a", &format!("message {number}"));
    }
    observing.turn();
    let call = observing.next_long_poll().expect("it is due");
    observing.make(call).await;
    swap_rule(&observing.gateway);
    observing.observe(5).await;
    assert!(observing.next_long_poll().is_none());
    observing.observe(6).await;
    homeserver.say("!a", "after the swap");
    let call = observing.next_long_poll().expect("the rest is made");
    assert_eq!(observing.broker.size(), (5, 1));
    observing.make(call).await;
    let mut last = Vec::new();
    while let Some((id, message)) = observing.broker.next_notification(observing.now) {
        let delivered = coap::ObserveEvent::Delivered(id);
        observing.broker.on_observe_event(observing.now, delivered);
        last.retain(|(of, _)| *of != id);
        last.push((id, String::from_utf8_lossy(&message.payload).into_owned()));
    }
    let has_it = |(_, text): &&(_, String)| text.contains("after the swap");
    assert_eq!(last.iter().filter(has_it).count(), 5, "{last:?}");
}

/// How many messages a notification says are missing before it.
fn missed_before(message: &coap::Message) -> usize {
    let json = serde_json::from_slice::<serde_json::Value>(&message.payload);
    let missed = json.ok().and_then(|json| json["missed"].as_u64());
    usize::try_from(missed.unwrap_or(0)).expect("it is small")
}

#[tokio::test]
async fn a_device_that_acknowledges_nothing_has_a_bound_in_bytes() {
    let homeserver = Timeline::start();
    homeserver.say("!a", "before");
    let mut observing = ObservingByHand::new(&homeserver);
    observing.observe(1).await;
    for _ in 0..12 {
        homeserver.say("!a", &"x".repeat(12_000));
    }
    observing.turn();
    let call = observing.next_long_poll().expect("it is due");
    observing.make(call).await;
    assert_eq!(observing.broker.size(), (1, 1));
    let (mut sent, mut missed) = (Vec::new(), 0);
    while let Some((id, message)) = observing.broker.next_notification(observing.now) {
        let delivered = coap::ObserveEvent::Delivered(id);
        observing.broker.on_observe_event(observing.now, delivered);
        missed += missed_before(&message);
        sent.push(message.payload.len());
    }
    assert!(sent.iter().sum::<usize>() <= 128 << 10, "{sent:?}");
    assert!(missed > 0);
    assert_eq!(sent.len() + missed, 12);
}
