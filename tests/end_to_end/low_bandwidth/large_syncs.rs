//! Observations of `/sync` whose messages are larger than a datagram.

use comatrix_tests::observer::Observer;
use comatrix_tests::stub::Behaviour;
use serde_json::json;

use super::notifications::{SOON, next, position, texts};
use super::stage::{gateway, sync, with_keys};
use super::timeline::{ROOM, Timeline, body};
use crate::secured::stage::PATIENCE;

/// A first sync of so many bytes in JSON.
fn large(bytes: usize) -> Timeline {
    let event = json!({ "type": "m.room.message", "content": { "body": "x".repeat(1_000) } });
    let events = vec![event; bytes / 1_050];
    let room = json!({ ROOM: { "timeline": { "events": events } } });
    let first = json!({ "next_batch": "s0", "rooms": { "join": room } });
    Timeline::with(move |since, response| match since {
        None => Behaviour::json(200, first.clone()),
        Some(_) => response,
    })
}

#[test]
fn a_first_sync_of_a_megabyte_is_4_13_and_says_which_filter_helps() {
    let homeserver = large(1_000_000);
    let gateway = gateway(&homeserver.stub.origin);
    let observer = Observer::start(gateway.address, &with_keys(sync("")));
    let refused = observer.next(SOON).expect("an answer");
    assert_eq!(refused.code, "4.13", "{refused:?}");
    let filter = r#"filter={"room":{"timeline":{"limit":1}}}"#;
    assert!(refused.text().contains(filter), "{}", refused.text());
}

#[test]
fn a_change_of_many_blocks_is_pushed_whole_and_acknowledged_as_one() {
    let homeserver = Timeline::start();
    let gateway = gateway(&homeserver.stub.origin);
    let observer = Observer::start(gateway.address, &with_keys(sync("")));
    assert_eq!(position(&next(&observer, SOON)), "s0");
    homeserver.say_many(300);
    let pushed = next(&observer, PATIENCE);
    assert!(
        pushed.payload.len() > 10_000,
        "{} bytes",
        pushed.payload.len()
    );
    assert_eq!(texts(&pushed).len(), 300);
    homeserver.say();
    assert_eq!(texts(&next(&observer, SOON)), [body(300)]);
}
