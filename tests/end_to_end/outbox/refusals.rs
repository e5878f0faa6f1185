//! A homeserver that responds, but takes no message: with 5xx, 429, 401, 403, or with somebody else's page.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use comatrix_tests::device::{JSON, Request, Response};
use comatrix_tests::rooms::attempt;
use comatrix_tests::stub::Behaviour;
use comatrix_tests::udp_device::UdpDevice;
use serde_json::json;

use super::stage::{ROOM, Stage, TOKEN, queued, send, status, until};

const OTHER_ROOM: &str = "!other:localhost";

fn error(status: u16, errcode: &str) -> Behaviour {
    Behaviour::json(status, json!({ "errcode": errcode, "error": "no" }))
}

/// One more message in the room.
fn say(device: &mut UdpDevice, room: &str, body: &str) -> Response {
    device.request(&send(room, None, body))
}

#[test]
fn a_homeserver_that_responds_with_5xx_for_one_room_keeps_no_other_room_waiting() {
    let stage = Stage::new("");
    let mut device = stage.device(1);
    stage.rooms.set_fault(|request| {
        let attempt = attempt(request).filter(|attempt| attempt.room == ROOM);
        attempt.map(|_| error(502, "M_UNKNOWN"))
    });
    for number in 0..4 {
        let waiting = queued(&say(&mut device, ROOM, &format!("waits {number}")));
        assert_eq!(status(&mut device, &waiting)["state"], "queued");
        let direct = say(&mut device, OTHER_ROOM, &format!("goes on {number}"));
        assert!(direct.field("event_id").starts_with('$'), "{direct:?}");
    }
    assert_eq!(stage.rooms.bodies_in(ROOM), Vec::<String>::new());
    stage.rooms.end_fault();
    stage.until_room_has(ROOM, &["waits 0", "waits 1", "waits 2", "waits 3"]);
}

#[test]
fn after_429_the_account_waits_as_long_as_the_homeserver_asks_for() {
    let stage = Stage::new("");
    let mut device = stage.device(1);
    stage.rooms.stop();
    for room in [ROOM, OTHER_ROOM] {
        for number in 0..3 {
            queued(&say(&mut device, room, &number.to_string()));
        }
    }
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    stage.rooms.set_fault({
        let times = Arc::clone(&times);
        move |request| {
            let mut times = times.lock().expect("no holder of this lock panics");
            times.extend(attempt(request).map(|_| Instant::now()));
            let limited = error(429, "M_LIMIT_EXCEEDED").with_header("Retry-After", "4");
            (times.len() == 1).then_some(limited)
        }
    });
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["0", "1", "2"]);
    stage.until_room_has(OTHER_ROOM, &["0", "1", "2"]);
    let times = times.lock().expect("no holder of this lock panics");
    assert_eq!(times.len(), 7, "one was refused");
    let pause = times[1] - times[0];
    assert!(pause >= Duration::from_secs(4), "it waited {pause:?}");
}

/// The homeserver knows the new token only.
pub fn refuse_the_old_token(stage: &Stage, after: Duration) {
    stage.rooms.set_fault(move |request| {
        let is_new = request
            .header("authorization")
            .is_none_or(|bearer| bearer.starts_with("Bearer new-token"));
        let refused = Behaviour::Late(after, Box::new(error(401, "M_UNKNOWN_TOKEN")));
        (!is_new).then_some(refused)
    });
}

/// Its messages wait, said once, until a reload with the new token.
fn is_set_going_by_a_new_token(stage: &Stage, ids: &[String], bodies: &[&str]) {
    let said = "it refuses the access token of the configuration: write a new one";
    let log = stage.log_until(said);
    assert!(log.contains(said), "{log}");
    let attempts = stage.rooms.attempts().len();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(stage.rooms.attempts().len(), attempts, "no more attempts");
    assert_eq!(stage.log_until(said).matches(said).count(), 1);
    stage.set_token("new-token");
    stage.reload();
    stage.until_room_has(ROOM, bodies);
    for id in ids {
        assert_eq!(stage.outcome(1, id)["state"], "sent");
    }
    let attempts = stage.rooms.attempts();
    for body in bodies {
        let mut of_body = attempts.iter().filter(|attempt| attempt.body == *body);
        let last = of_body.next_back().expect("it was sent");
        assert_eq!(last.token, "new-token");
        assert!(
            of_body.all(|attempt| attempt.txn == last.txn && attempt.token == TOKEN),
            "one transaction id for all attempts: {attempts:#?}"
        );
    }
}

#[test]
fn after_401_the_account_waits_until_a_reload_with_a_new_token() {
    let stage = Stage::new("");
    let mut device = stage.device(1);
    stage.rooms.stop();
    let ids = ["a", "b"].map(|body| queued(&say(&mut device, ROOM, body)));
    refuse_the_old_token(&stage, Duration::ZERO);
    stage.rooms.start_again();
    is_set_going_by_a_new_token(&stage, &ids, &["a", "b"]);
}

#[test]
fn a_401_that_comes_after_the_device_has_its_response_is_said_too() {
    let stage = Stage::new("");
    let mut device = stage.device(1);
    refuse_the_old_token(&stage, Duration::from_secs(3));
    let id = queued(&say(&mut device, ROOM, "a"));
    is_set_going_by_a_new_token(&stage, &[id], &["a"]);
}

#[test]
fn a_message_waits_while_its_homeserver_is_not_configured() {
    let stage = Stage::new("");
    let other = comatrix_tests::rooms::Rooms::start();
    let with_other = format!("[[homeserver]]\nurl = \"{}\"\n", other.origin);
    stage.configure(&with_other);
    stage.reload();
    other.stop();
    let mut device = stage.device(1);
    let uri = format!("{}/9/{ROOM}/m.room.message/1", other.origin);
    let message = Request::new("PUT", "/send")
        .proxy_uri(&uri)
        .token("own")
        .bytes(b"elsewhere", Some(0))
        .accept(JSON);
    let id = queued(&device.request(&message));
    stage.configure("");
    stage.reload();
    other.start_again();
    let said = format!(
        "messages for {}/ wait: it is not configured any more",
        other.origin
    );
    let log = stage.log_until(&said);
    assert!(log.contains(&said), "{log}");
    assert_eq!(status(&mut device, &id)["state"], "queued");
    assert_eq!(other.sent(), 0);
    stage.configure(&with_other);
    stage.reload();
    assert_eq!(stage.outcome(1, &id)["state"], "sent");
    assert_eq!(other.bodies_in(ROOM), ["elsewhere"]);
}

#[test]
fn a_403_is_final_until_the_device_repeats_the_message() {
    let mut stage = Stage::new("");
    let mut device = stage.device(1);
    stage.rooms.stop();
    let message = send(ROOM, Some("t1"), "a");
    let id = queued(&device.request(&message));
    queued(&say(&mut device, OTHER_ROOM, "b"));
    stage.rooms.set_fault(|request| {
        let attempt = attempt(request).filter(|attempt| attempt.body == "a");
        attempt.map(|_| error(403, "M_FORBIDDEN"))
    });
    stage.rooms.start_again();
    let failed = stage.outcome(1, &id);
    assert_eq!(failed["state"], "failed", "{failed}");
    let reason = failed["reason"].as_str().unwrap_or_default();
    assert!(!reason.is_empty(), "{failed}");
    stage.until_room_has(OTHER_ROOM, &["b"]);
    // It stays so, also over a kill.
    stage.kill();
    stage.start();
    assert_eq!(stage.outcome(1, &id), failed);
    let attempts = stage.rooms.attempts().len();
    assert_eq!(attempts, 2, "one for each message");

    stage.rooms.end_fault();
    assert_eq!(queued(&device.request(&message)), id, "it is the same one");
    assert_eq!(stage.outcome(1, &id)["state"], "sent");
    assert_eq!(stage.rooms.bodies_in(ROOM), ["a"]);
    let attempts = stage.rooms.attempts();
    let of_message = attempts.iter().filter(|attempt| attempt.body == "a");
    let txns: Vec<&str> = of_message.map(|attempt| attempt.txn.as_str()).collect();
    assert!(txns.len() == 2 && txns[0] == txns[1], "{attempts:#?}");
}

#[test]
fn somebody_elses_page_with_status_200_is_no_success() {
    let stage = Stage::new("");
    let mut device = stage.device(1);
    // A captive portal responds to everything.
    stage.rooms.set_fault(|_| {
        Some(Behaviour::Response {
            status: 200,
            headers: vec![("Content-Type", "text/html".to_owned())],
            body: b"<html><body>Please log in to this network</body></html>".to_vec(),
        })
    });
    let ids = ["a", "b"].map(|body| queued(&say(&mut device, ROOM, body)));
    until("it is attempted again", || {
        stage.rooms.attempts().len() >= 3
    });
    for id in &ids {
        assert_eq!(status(&mut device, id), json!({ "state": "queued" }));
    }
    stage.rooms.end_fault();
    stage.until_room_has(ROOM, &["a", "b"]);
    for (id, body) in ids.iter().zip(["a", "b"]) {
        let event_id = stage.rooms.event_id(body).expect("it is there");
        assert_eq!(stage.outcome(1, id)["event_id"], event_id);
    }
}
