//! The largest answers to a poll, within the memory that a call has. A trap fails these tests: `Component` lets none through.

use comatrix_sdk::bindings::HttpResponse;
use comatrix_sdk::code;
use comatrix_sdk::vectors::Rule;
use comatrix_sdk::watch::Position;

use crate::component::Component;

/// `[limits] homeserver_answer` by default.
const LARGEST_ANSWER: usize = 1 << 20;

/// An answer as large as may be, with as many rooms as fit. `events` are those of each.
fn answer(events: &str) -> (HttpResponse, Vec<String>) {
    let (mut body, mut topics) = (
        String::from(r#"{"next_batch":"s2","rooms":{"join":{"#),
        vec![],
    );
    loop {
        let room = format!("!{:06}:h", topics.len());
        let member = format!(r#""{room}":{{"timeline":{{"events":[{events}],"limited":false}}}},"#);
        if body.len() + member.len() + 3 > LARGEST_ANSWER {
            break;
        }
        body.push_str(&member);
        topics.push(room);
    }
    body.pop();
    body.push_str("}}}");
    let answer = HttpResponse {
        status: 200,
        headers: vec![],
        body: body.into_bytes(),
    };
    (answer, topics)
}

fn message(body: &str) -> String {
    format!(
        r#"{{"type":"m.room.message","event_id":"$e","sender":"@a:h","content":{{"msgtype":"m.text","body":"{body}"}}}}"#
    )
}

#[test]
fn the_largest_answers_are_told_or_lost_room_by_room() {
    let mut component = Component::new();
    let state = Position {
        requested: false,
        since: "s1".to_owned(),
    }
    .state();
    let small = message("x");
    let many = vec![small.as_str(); 50].join(",");
    let long = message(&"x".repeat(15_000));
    let huge = message(&"x".repeat(60_000));
    let escaped = message(&r"\u044f".repeat(2_000));
    for events in [&small, &many, &long, &huge, &escaped] {
        let (answer, topics) = answer(events);
        let polled = component.polled(&state, &topics, &answer);
        let progress = polled.expect("it observes").expect("the answer is whole");
        let mut told: Vec<_> = progress
            .changes
            .iter()
            .map(|change| &change.topic)
            .collect();
        told.dedup();
        assert_eq!(told.len() + progress.lost.len(), topics.len());
        assert!(progress.changes.len() <= 1024);
        assert!(
            component
                .poll(&progress.state, &topics)
                .expect("it observes")
                .is_ok()
        );
    }
}

#[test]
fn an_answer_of_nothing_but_members_fails_and_does_not_trap() {
    let mut component = Component::new();
    let state = Position {
        requested: false,
        since: "s1".to_owned(),
    }
    .state();
    let (answer, topics) = answer(&vec!["{}"; 100_000].join(","));
    let polled = component.polled(&state, &topics, &answer);
    let failure = polled.expect("it observes").expect_err("too many members");
    assert_eq!(failure.code, code::BAD_GATEWAY);
}
