//! The bounds of watching. Requests and responses of polls are tested by the vectors of the rules.

use proptest::prelude::*;

use super::*;
use crate::bindings::{HttpResponse, Progress};
use crate::cbor;
use crate::value::Value;

fn position() -> Position {
    Position {
        requested: false,
        since: "s1".to_owned(),
    }
}

fn filter_of(rooms: &[&str]) -> String {
    let request = poll(&position(), rooms);
    let filter = request.query.into_iter().find(|(name, _)| name == "filter");
    filter.expect("it has one").1
}

/// A response with these messages in each room.
fn response(rooms: &[(String, Vec<String>)]) -> HttpResponse {
    let room = |(id, bodies): &(String, Vec<String>)| {
        let events = bodies.iter().map(|body| {
            let event = [
                ("type", "m.room.message".into()),
                ("event_id", "$e".into()),
                ("sender", "@a".into()),
                (
                    "content",
                    Value::texts([("msgtype", "m.text"), ("body", body)]),
                ),
            ];
            Value::map(event)
        });
        let timeline = Value::map([("events", Value::Array(events.collect()))]);
        (id.clone(), Value::map([("timeline", timeline)]))
    };
    let join = Value::Map(rooms.iter().map(room).collect());
    let body = Value::map([
        ("rooms", Value::map([("join", join)])),
        ("next_batch", "s2".into()),
    ]);
    HttpResponse {
        status: 200,
        headers: vec![],
        body: crate::json::encode(&body),
    }
}

/// Every room is a topic.
fn progress(response: &HttpResponse) -> Progress {
    let progress = polled(
        position(),
        response,
        &mut |changes, room, found| match found {
            Found::Message(message) => changes.push(room, message_payload(&message)),
            Found::Gap => changes.miss(room),
            Found::Left => changes.lose(room),
        },
    );
    progress.expect("it is a whole response")
}

#[test]
fn a_filter_names_each_room_once_and_is_json() {
    let filter = filter_of(&["!a", "!a", "!\"b"]);
    assert!(filter.contains(r#""rooms":["!a","!\"b"],"#), "{filter}");
    assert!(crate::json::decode(filter.as_bytes()).is_ok(), "{filter}");
    let none = filter_of(&[]);
    assert!(crate::json::decode(none.as_bytes()).is_ok(), "{none}");
}

#[test]
fn more_rooms_than_a_request_line_holds_are_all_of_the_accounts_rooms() {
    let rooms: Vec<String> = (0..10_000)
        .map(|n| format!("!room{n}:example.org"))
        .collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let few = filter_of(&rooms[..200]);
    assert!(few.contains("!room199:"), "{few}");
    let many = filter_of(&rooms);
    assert!(!many.contains("\"rooms\"") && many.len() < 1000, "{many}");
    assert!(crate::json::decode(many.as_bytes()).is_ok(), "{many}");
}

#[test]
fn beyond_the_most_changes_rooms_are_lost_whole() {
    let rooms: Vec<_> = (0..30)
        .map(|n| (format!("!{n:02}"), vec!["x".to_owned(); 50]))
        .collect();
    let progress = progress(&response(&rooms));
    assert_eq!(progress.changes.len(), 20 * 50);
    assert_eq!(progress.lost.len(), 10);
    let has_change = |lost: &String| progress.changes.iter().any(|change| change.topic == *lost);
    assert!(!progress.lost.iter().any(has_change));
}

#[test]
fn changes_that_would_not_fit_into_an_instance_are_lost() {
    let rooms: Vec<_> = (0..60)
        .map(|n| (format!("!{n:02}"), vec!["x".repeat(16_000)]))
        .collect();
    let progress = progress(&response(&rooms));
    let bytes: usize = progress
        .changes
        .iter()
        .map(|change| change.payload.len())
        .sum();
    assert!(
        bytes <= 384 * 1024 && progress.changes.len() >= 20,
        "{bytes}"
    );
    assert_eq!(progress.changes.len() + progress.lost.len(), 60);
}

#[test]
fn a_message_is_written_as_the_encoder_of_values_does() {
    let long = "\u{44f}".repeat(200);
    let pairs = [("event_id", "$e"), ("sender", ""), ("body", long.as_str())];
    let value = Value::texts(pairs);
    assert_eq!(encode_texts(&pairs), cbor::encode(&value));
}

proptest! {
    #[test]
    fn a_position_comes_back(requested: bool, since in ".{0,60}") {
        let position = Position { requested, since };
        prop_assert_eq!(Position::decode(&position.state()), Ok(position));
    }

    #[test]
    fn no_state_and_no_response_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Position::decode(&bytes);
        let _ = read(&bytes, &mut |_| {});
    }

    #[test]
    fn every_message_of_a_room_is_a_change_in_its_order(
        rooms in prop::collection::btree_map("![a-z]{1,6}", prop::collection::vec(".{0,12}", 0..6), 0..6),
    ) {
        let rooms: Vec<_> = rooms.into_iter().collect();
        let progress = progress(&response(&rooms));
        let found = progress.changes.iter().map(|change| {
            let message = cbor::decode(&change.payload).expect("it is CBOR");
            let body = message.get("body").and_then(Value::as_text);
            (change.topic.clone(), body.expect("it has one").to_owned())
        });
        let said = rooms.iter().flat_map(|(room, bodies)| {
            bodies.iter().map(|body| (room.clone(), body.clone()))
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), said.collect::<Vec<_>>());
        prop_assert!(progress.lost.is_empty());
    }
}
