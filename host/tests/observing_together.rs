//! Observers that share a poll: when an observer joins it, rules that are swapped or slow meanwhile, and the
//! gateway's end.

use std::sync::Arc;
use std::time::Duration;

use coap::{self, code, option};
use runtime::DEFAULT_RULE;
use runtime::{MountTable, Mounted, RuleLimits};

use crate::default_rule::{activate_rule, engine, limits, revision, swap};
use crate::observing::{HOUR, observer, observing, observing_until};
use crate::observing_again::swap_rule;
use crate::observing_device::{A_WHILE, Device, body, get};

/// The next notification of a device that was shown a room before its next message: that message, or the end of the
/// observation.
async fn is_notified_or_ended(device: &Device, said: &str) {
    let next = device.receive().await;
    device.acknowledge(&next).await;
    if next.message.code == code::CONTENT {
        assert_eq!(body(&next), said);
    } else {
        assert_eq!(next.message.code, code::SERVICE_UNAVAILABLE);
        assert_eq!(next.message.option(option::OBSERVE), None);
    }
}

#[tokio::test]
async fn one_long_poll_serves_all_observers_of_an_account() {
    observing(HOUR, |_, homeserver, address| async move {
        let rooms = ["!a", "!b", "!a"];
        let mut devices = Vec::new();
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        for room in rooms {
            let mut device = Device::new(address).await;
            device.observe(room).await;
            devices.push(device);
        }
        tokio::time::sleep(A_WHILE).await;
        homeserver.until_waiting(1).await;
        let last = homeserver.syncs().pop().expect("there were some");
        assert_eq!(last.rooms, ["!a", "!b"]);
        homeserver.say("!a", "for two");
        assert_eq!(devices[0].notified().await, "for two");
        assert_eq!(devices[2].notified().await, "for two");
        devices[1].is_left_alone().await;
        homeserver.say("!b", "for one");
        assert_eq!(devices[1].notified().await, "for one");
    })
    .await;
}

#[tokio::test]
async fn an_observation_continues_after_a_swap_and_the_former_revision_is_freed() {
    observing(HOUR, |gateway, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        let former = Arc::downgrade(&gateway.snapshots.load().rules.rules()[0].revision);
        swap_rule(&gateway);
        for text in ["read by the former revision", "read by the new one"] {
            homeserver.say("!a", text);
            assert_eq!(device.notified().await, text);
            homeserver.until_waiting(1).await;
        }
        homeserver.say("!a", "and one more");
        assert_eq!(device.notified().await, "and one more");
        assert!(former.upgrade().is_none(), "something still holds it");
    })
    .await;
}

#[tokio::test]
async fn a_message_during_a_registration_is_notified_once() {
    observing(HOUR, |_, homeserver, address| async move {
        let first = observer(&homeserver, address).await;
        homeserver.delay(Duration::from_millis(300));
        let mut second = Device::new(address).await;
        let (shown, notified) = tokio::join!(second.observe("!a"), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            // The second device's first response is made from the former state, but has not arrived.
            homeserver.say("!a", "between");
            first.notified().await
        });
        assert_eq!((shown.as_str(), notified.as_str()), ("before", "between"));
        assert_eq!(second.notified().await, "between");
        second.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_joins_a_poll_of_other_rooms_does_not_get_its_first_message_again() {
    observing(HOUR, |_, homeserver, address| async move {
        let _first = observer(&homeserver, address).await;
        // The position of the poll is before these.
        homeserver.say("!b", "older");
        homeserver.say("!b", "shown");
        let mut second = Device::new(address).await;
        assert_eq!(second.observe("!b").await, "shown");
        second.is_left_alone().await;
        homeserver.say("!b", "new");
        assert_eq!(second.notified().await, "new");
    })
    .await;
}

#[tokio::test]
async fn unreadable_responses_end_the_observation_instead_of_coming_for_ever() {
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        homeserver.fail(Some((200, "no next_batch")));
        let last = device.receive().await;
        assert_eq!(last.message.code, code::SERVICE_UNAVAILABLE);
        let asked = homeserver.syncs().len();
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(
            homeserver.syncs().len(),
            asked,
            "there is no observer any more"
        );
    })
    .await;
}

#[tokio::test]
async fn a_message_in_a_room_that_has_just_joined_a_poll_is_notified() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        tokio::time::sleep(A_WHILE).await;
        let mut second = Device::new(address).await;
        assert_eq!(second.observe("!b").await, "before");
        // The poll that waits was asked without !b, and ends with the news of !a, behind the message in !b.
        homeserver.say("!b", "to the second");
        homeserver.say("!a", "to the first");
        assert_eq!(first.notified().await, "to the first");
        assert_eq!(second.notified().await, "to the second");
        first.is_left_alone().await;
        second.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_poll_that_went_on_while_another_room_was_asked_for_keeps_nothing_back() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.delay(Duration::from_millis(300));
        let mut second = Device::new(address).await;
        let (shown, notified) = tokio::join!(second.observe("!b"), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            homeserver.say("!b", "between");
            homeserver.say("!a", "news");
            first.notified().await
        });
        assert_eq!((shown.as_str(), notified.as_str()), ("before", "news"));
        is_notified_or_ended(&second, "between").await;
    })
    .await;
}

#[tokio::test]
async fn of_two_devices_that_register_at_once_the_later_one_misses_nothing() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        homeserver.delay(Duration::from_millis(400));
        let mut slow = Device::new(address).await;
        let mut quick = Device::new(address).await;
        let (shown, _) = tokio::join!(slow.observe("!b"), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            homeserver.say("!b", "between");
            homeserver.delay(Duration::ZERO);
            quick.observe("!a").await
        });
        assert_eq!(shown, "before");
        is_notified_or_ended(&slow, "between").await;
    })
    .await;
}

#[tokio::test]
async fn no_observation_begins_while_the_gateway_stops() {
    let drain = Duration::from_secs(5);
    observing_until(HOUR, drain, |_, homeserver, address, stop| async move {
        homeserver.say("!a", "before");
        homeserver.delay(Duration::from_millis(400));
        let mut device = Device::new(address).await;
        let (response, ()) = tokio::join!(device.ask("t", get("!a", Some(0))), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(stop);
        });
        assert_eq!(body(&response), "before");
        assert_eq!(
            response.message.option(option::OBSERVE),
            None,
            "{response:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_has_used_its_share_holds_up_no_observers_of_others() {
    observing(HOUR, |gateway, homeserver, address| async move {
        let slow = RuleLimits {
            cpu_percent: 1,
            ..limits()
        };
        let settings = std::collections::BTreeMap::new();
        let slow = activate_rule(&engine(), None, "slow", DEFAULT_RULE, settings, slow);
        let slow = Arc::new(slow.unwrap_or_else(|error| panic!("{error}")));
        let others = gateway.snapshots.load().rules.rules()[0].revision.clone();
        let table = MountTable::new(vec![
            Mounted {
                mount: Vec::new(),
                revision: others,
            },
            Mounted {
                mount: vec!["slow".to_owned()],
                revision: slow.clone(),
            },
        ]);
        swap(&gateway, table.unwrap_or_else(|error| panic!("{error}")));
        homeserver.say("!a", "before");
        let mut of_slow = Device::new(address).await;
        let mut request = get("!a", Some(0));
        let place = request
            .options
            .iter()
            .position(|present| present.number == option::URI_PATH);
        let segment = coap::CoapOption {
            number: option::URI_PATH,
            value: b"slow".to_vec(),
        };
        request.options.insert(place.expect("a path"), segment);
        assert_eq!(body(&of_slow.ask("t", request).await), "before");
        let mut other = Device::new(address).await;
        other.observe("!a").await;
        homeserver.until_waiting(2).await;
        let budget = &slow.state().budget;
        budget.spent(std::time::Instant::now(), Duration::from_secs(60));
        for text in ["first", "second", "third"] {
            homeserver.say("!a", text);
            assert_eq!(other.notified().await, text);
        }
    })
    .await;
}

#[tokio::test]
async fn one_long_poll_serves_an_account_after_a_swap() {
    observing(HOUR, |gateway, homeserver, address| async move {
        let first = observer(&homeserver, address).await;
        let mounted = Mounted {
            mount: Vec::new(),
            revision: Arc::new(revision()),
        };
        let table = MountTable::new(vec![mounted]).unwrap_or_else(|error| panic!("{error}"));
        swap(&gateway, table);
        let mut second = Device::new(address).await;
        second.observe("!a").await;
        // The changes of the former revision are discarded, so the device may have missed one.
        let ended = second.receive().await;
        assert_eq!(ended.message.code, code::SERVICE_UNAVAILABLE);
        second.acknowledge(&ended).await;
        second.observe("!a").await;
        for text in ["news", "more"] {
            homeserver.say("!a", text);
            assert_eq!(first.notified().await, text);
            assert_eq!(second.notified().await, text);
            tokio::time::sleep(A_WHILE).await;
            homeserver.until_waiting(1).await;
        }
    })
    .await;
}
