//! Observations that go on: a device that asks again, a rule that is replaced.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway::request::Gateway;
use runtime::{MountTable, Mounted};

use crate::default_rule::{revision, swap};
use crate::observing::{HOUR, observer, observing};
use crate::observing_device::{Device, body};

/// More than are put into words at once when a rule is replaced.
const DEVICES: usize = 100;

/// Lets another revision of the default rule serve.
pub fn swap_rule(gateway: &Gateway) {
    let mounted = Mounted {
        mount: Vec::new(),
        revision: Arc::new(revision()),
    };
    let table = MountTable::new(vec![mounted]).unwrap_or_else(|error| panic!("{error}"));
    swap(gateway, table);
}

async fn all_are_notified(devices: &[Device], text: &str) {
    let bodies = join_all(devices.iter().map(Device::notified)).await;
    assert!(bodies.iter().all(|body| body == text), "{bodies:?}");
}

#[tokio::test]
async fn a_device_that_registers_again_with_its_token_gets_everything_that_is_queued() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = observer(&homeserver, address).await;
        for text in ["one", "two", "three"] {
            homeserver.say("!a", text);
        }
        let unacknowledged = device.receive().await;
        assert_eq!(body(&unacknowledged), "one");
        assert_eq!(device.observe("!a").await, "one", "its last notification");
        device.acknowledge(&unacknowledged).await;
        for text in ["two", "three"] {
            assert_eq!(device.notified().await, text);
        }
        assert_eq!(device.observe("!a").await, "three");
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_swap_reaches_a_hundred_observers_and_loses_no_notification() {
    observing(HOUR, |gateway, homeserver, address| async move {
        let mut devices = vec![observer(&homeserver, address).await];
        while devices.len() < DEVICES {
            let mut device = Device::new(address).await;
            assert_eq!(device.observe("!a").await, "before");
            devices.push(device);
        }
        for text in [
            "by the former revision",
            "read by it, notified by both",
            "by the new one",
        ] {
            homeserver.say("!a", text);
            all_are_notified(&devices, text).await;
            homeserver.until_waiting(1).await;
            if text.starts_with("by the former") {
                swap_rule(&gateway);
            }
        }
        let former = Arc::downgrade(&gateway.snapshots.load().rules.rules()[0].revision);
        swap_rule(&gateway);
        homeserver.say("!a", "frees it");
        all_are_notified(&devices, "frees it").await;
        homeserver.until_waiting(1).await;
        homeserver.say("!a", "last");
        all_are_notified(&devices, "last").await;
        assert!(former.upgrade().is_none(), "something still holds it");
    })
    .await;
}
