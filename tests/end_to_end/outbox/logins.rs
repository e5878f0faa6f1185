//! Devices whose access token ends while their messages wait, and whose users log in again.

use std::time::Duration;

use comatrix_tests::device::{JSON, Request, Spelling};
use comatrix_tests::udp_device::UdpDevice;
use serde_json::json;

use super::refusals::refuse_the_old_token;
use super::stage::{ROOM, Stage, queued, send, status};

/// Logs in; the access token is the password.
fn log_in(stage: &Stage, device: &mut UdpDevice, user: &str, token: &str) {
    let response = device.request(
        &Request::new("POST", "/login")
            .proxy_uri(&Spelling::Short.login(&stage.rooms.origin))
            .bytes(
                json!({
                    "type": "m.login.password",
                    "identifier": { "type": "m.id.user", "user": user },
                    "password": token
                })
                .to_string()
                .as_bytes(),
                Some(JSON),
            )
            .accept(JSON),
    );
    assert_eq!(response.field("access_token"), token, "{response:?}");
}

#[test]
fn after_401_the_messages_of_a_user_go_on_when_the_user_has_logged_in_again() {
    let mut stage = Stage::new("");
    let (mut device, mut another) = (stage.device(1), stage.device(2));
    log_in(&stage, &mut device, "sensor", "old-token");
    log_in(&stage, &mut another, "neighbour", "old-token-of-another");
    stage.rooms.stop();
    let say = |device: &mut UdpDevice, token: &str, body: &str| {
        device.request(&send(ROOM, None, body).token(token))
    };
    let old = queued(&say(&mut device, "old-token", "a"));
    let of_another = queued(&say(&mut another, "old-token-of-another", "b"));
    // Whose tokens they are outlives the gateway.
    stage.kill();
    stage.start();
    refuse_the_old_token(&stage, Duration::ZERO);
    stage.rooms.start_again();
    let said = "it refuses the access token that their device has presented: log in again";
    assert!(stage.log_until(said).contains(said));
    // Another user of the same device has nothing to do with them.
    log_in(&stage, &mut device, "guest", "new-token");
    say(&mut device, "new-token", "of the guest");
    assert_eq!(status(&mut device, &old)["state"], "queued");
    log_in(&stage, &mut device, "sensor", "new-token-of-the-sensor");
    assert_eq!(stage.outcome(1, &old)["state"], "sent");
    let attempts = stage.rooms.attempts();
    let of_old = attempts.iter().rfind(|attempt| attempt.body == "a");
    assert_eq!(
        of_old.map(|attempt| attempt.token.as_str()),
        Some("new-token-of-the-sensor")
    );
    assert_eq!(status(&mut another, &of_another)["state"], "queued");
}

#[test]
fn after_401_and_a_restart_a_later_token_of_the_user_sets_the_messages_going_in_their_order() {
    let mut stage = Stage::new("");
    let mut device = stage.device(1);
    log_in(&stage, &mut device, "sensor", "old-token");
    stage.rooms.stop();
    let say = |device: &mut UdpDevice, token: &str, body: &str| {
        device.request(&send(ROOM, None, body).token(token))
    };
    queued(&say(&mut device, "old-token", "a"));
    refuse_the_old_token(&stage, Duration::ZERO);
    stage.rooms.start_again();
    let said = "it refuses the access token that their device has presented: log in again";
    assert!(stage.log_until(said).contains(said));
    log_in(&stage, &mut stage.device(2), "sensor", "new-token");
    stage.until_room_has(ROOM, &["a"]);
    stage.rooms.stop();
    queued(&say(&mut device, "old-token", "b"));
    stage.kill();
    stage.start();
    stage.rooms.start_again();
    say(&mut device, "new-token", "c");
    stage.until_room_has(ROOM, &["a", "b", "c"]);
}
