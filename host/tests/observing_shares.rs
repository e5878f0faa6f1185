//! What the observations of one host hold.

use coap::option;

use crate::observing::{HOUR, observing_with};
use crate::observing_device::{Device, get};

/// Bytes of all observations in this test; a host has an eighth.
const BYTES: usize = 64 << 10;

#[tokio::test]
async fn observations_with_long_names_leave_room_for_those_of_other_hosts() {
    let limit = |snapshot: &mut gateway::request::Snapshot| {
        snapshot.limits.observation.bytes = BYTES;
    };
    observing_with(HOUR, limit, |_, timeline, address| async move {
        let room = |number: usize| format!("!{number:0>250}");
        let mut hostile = Vec::new();
        let mut begun = 0;
        for port in 0..2 {
            let mut device = Device::new(address).await;
            for number in 0..10 {
                let room = room(10 * port + number);
                timeline.say(&room, "before");
                let response = device.ask(&number.to_string(), get(&room, Some(0))).await;
                begun += usize::from(response.message.option(option::OBSERVE).is_some());
            }
            hostile.push(device);
        }
        // One takes more than a kilobyte: the name of the room in the path, the captures and twice in the poll.
        assert!((2..=8).contains(&begun), "{begun}");
        let mut honest = Device::at("127.0.0.2", address).await;
        timeline.say("!a", "before");
        assert_eq!(honest.observe("!a").await, "before");
        // One that registers again has its bytes already.
        let renewed = hostile[0].ask("0", get(&room(0), Some(0))).await;
        assert!(renewed.message.option(option::OBSERVE).is_some());
        // An observation that ends gives its bytes back.
        let mut first = hostile.swap_remove(0);
        first.ask("0", get(&room(0), Some(1))).await;
        let again = first.ask("10", get(&room(0), Some(0))).await;
        assert!(again.message.option(option::OBSERVE).is_some());
    })
    .await;
}
