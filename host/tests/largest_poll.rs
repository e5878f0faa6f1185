//! The largest responses to a poll, within the memory and half of the time of a call. A trap fails these tests.

use coap::code;
use comatrix_sdk::watch::Position;
use contract::HttpResponse;
use runtime::{MAX_CHANGES, ObserverError};

use crate::component::Component;

/// `[limits] homeserver_answer` by default.
const LARGEST_RESPONSE: usize = 1 << 20;

/// The largest response, with as many rooms as fit. Each room has these `events`.
fn response(events: &str) -> (HttpResponse, Vec<String>) {
    let (mut body, mut topics) = (
        String::from(r#"{"next_batch":"s2","rooms":{"join":{"#),
        vec![],
    );
    loop {
        let room = format!("!{:06}:h", topics.len());
        let member = format!(r#""{room}":{{"timeline":{{"events":[{events}],"limited":false}}}},"#);
        if body.len() + member.len() + 3 > LARGEST_RESPONSE {
            break;
        }
        body.push_str(&member);
        topics.push(room);
    }
    body.pop();
    body.push_str("}}}");
    let response = HttpResponse {
        status: 200,
        headers: vec![],
        body: body.into_bytes(),
    };
    (response, topics)
}

fn message(body: &str) -> String {
    format!(
        r#"{{"type":"m.room.message","event_id":"$e","sender":"@a:h",
             "content":{{"msgtype":"m.text","body":"{body}"}}}}"#
    )
}

#[test]
fn each_room_in_the_largest_responses_has_changes_or_is_lost() {
    let revision = Component::with_half_of_the_time().revision;
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
        let (response, topics) = response(events);
        let polled = revision.polled(&state, &topics, &response);
        let progress = polled.expect("the response is whole");
        let mut changed: Vec<_> = progress
            .changes
            .iter()
            .map(|change| &change.topic)
            .collect();
        changed.dedup();
        assert_eq!(changed.len() + progress.lost.len(), topics.len());
        assert!(progress.changes.len() <= MAX_CHANGES);
        assert!(revision.poll(&progress.state, &topics).is_ok());
    }
}

#[test]
fn a_response_of_nothing_but_members_fails_and_does_not_trap() {
    let revision = Component::with_half_of_the_time().revision;
    let state = Position {
        requested: false,
        since: "s1".to_owned(),
    }
    .state();
    let (response, topics) = response(&vec!["{}"; 100_000].join(","));
    match revision.polled(&state, &topics, &response) {
        Err(ObserverError::Failed(failure)) => assert_eq!(failure.code, code::BAD_GATEWAY),
        other => panic!("too many members: {other:?}"),
    }
}
