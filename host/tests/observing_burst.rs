//! More messages than a device takes: it gets the newest, in order, and how many it has missed. Its observation goes
//! on.

use std::time::Duration;

use coap::{Datagram, code, option};

use crate::observing::{HOUR, observer, observing};
use crate::observing_device::{Device, body};

/// Notifications that wait for a device, with the one that it has not acknowledged.
const MOST: usize = 32;

/// The number in a notification's body, and how many messages it says are missing before it.
fn read(notification: &Datagram) -> (usize, usize) {
    let number = body(notification).parse().expect("it is a number");
    let json: serde_json::Value =
        serde_json::from_slice(&notification.message.payload).expect("it is JSON");
    let missed = json
        .get("missed")
        .map_or(0, |missed| missed.as_u64().expect("it is a count"));
    (number, usize::try_from(missed).expect("it is small"))
}

/// Acknowledges every notification until the one with this number. The numbers, and the counts of missing messages.
async fn read_until(device: &Device, last: usize) -> Vec<(usize, usize)> {
    let mut seen: Vec<(usize, usize)> = Vec::new();
    while seen.last().is_none_or(|(number, _)| *number < last) {
        let notification = device.receive().await;
        assert_eq!(notification.message.code, code::CONTENT, "{notification:?}");
        assert!(notification.message.option(option::OBSERVE).is_some());
        device.acknowledge(&notification).await;
        seen.push(read(&notification));
    }
    seen
}

#[tokio::test]
async fn a_burst_leaves_the_newest_messages_in_order_and_the_first_says_how_many_were_missed() {
    const ALL: usize = 80;
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        for number in 0..ALL {
            homeserver.say("!a", &number.to_string());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It has acknowledged nothing yet.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let seen = read_until(&device, ALL - 1).await;
        let numbers: Vec<_> = seen.iter().map(|(number, _)| *number).collect();
        let newest = ALL - (MOST - 1)..ALL;
        assert_eq!(numbers, [0].into_iter().chain(newest).collect::<Vec<_>>());
        let missed: Vec<_> = seen.iter().map(|(_, missed)| *missed).collect();
        assert_eq!(missed[..2], [0, ALL - MOST]);
        assert!(missed[2..].iter().all(|missed| *missed == 0), "{missed:?}");
        device.is_left_alone().await;
        homeserver.say("!a", "80");
        assert_eq!(read_until(&device, 80).await, [(80, 0)]);
    })
    .await;
}

#[tokio::test]
async fn a_burst_that_one_response_of_the_homeserver_cannot_hold_does_not_end_the_observation() {
    const ALL: usize = 120;
    observing(HOUR, |_, homeserver, address| async move {
        let device = observer(&homeserver, address).await;
        homeserver.say("!a", "0");
        assert_eq!(read_until(&device, 0).await, [(0, 0)]);
        homeserver.until_waiting(1).await;
        homeserver.say_all("!a", (1..ALL).map(|number| number.to_string()));
        let seen = read_until(&device, ALL - 1).await;
        assert!(seen.is_sorted_by(|one, next| one.0 < next.0), "{seen:?}");
        let (first, missed) = seen[0];
        assert_eq!(seen.len(), ALL - first, "the newest are complete: {seen:?}");
        assert!((1..first).contains(&missed), "at least so many: {seen:?}");
        homeserver.say("!a", "120");
        assert_eq!(read_until(&device, 120).await, [(120, 0)]);
    })
    .await;
}
