//! What an observer gets, as the tests read it.

use std::time::{Duration, Instant};

use comatrix_tests::device::Response;
use comatrix_tests::observer::Observer;
use serde_json::Value;

use super::timeline::ROOM;

/// Long enough for a datagram and a poll on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);
/// In this time nothing may happen that must not happen.
pub const QUIET: Duration = Duration::from_secs(4);
/// The texts of the messages in a notification with integer keys.
pub fn texts(response: &Response) -> Vec<String> {
    let value = response.value.clone().unwrap_or_default();
    let events = &value["23"]["24"][ROOM]["12"]["13"];
    let events = events.as_array().into_iter().flatten();
    let text = |event: &Value| event["3"]["27"].as_str().map(str::to_owned);
    events.filter_map(text).collect()
}

pub fn position(response: &Response) -> String {
    let value = response.value.clone().unwrap_or_default();
    value["19"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
pub fn next(observer: &Observer, limit: Duration) -> Response {
    let response = observer.next(limit).expect("a notification");
    assert_eq!(response.code, "2.05", "{response:?}");
    response
}

#[track_caller]
pub fn eventually(what: &str, limit: Duration, is_so: impl Fn() -> bool) {
    let end = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
