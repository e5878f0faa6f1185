//! The device's walk through every resource, by the gateway binary's own `device` commands.

use std::fs;
use std::process::Command;

use comatrix_tests::{gateway, places};
use serde_json::json;

use crate::scene::{DEVICE, Scene};

/// The device's report.
const REPORT: &str = "21.5 °C in the greenhouse";

/// The person's message after it.
const REPLY: &str = "thank you, please open the window";

/// The step that failed.
#[derive(Debug)]
pub struct StepFailed {
    /// The step.
    pub step: String,
    /// The fault.
    pub reason: String,
}

impl std::fmt::Display for StepFailed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the step \"{}\" failed: {}", self.step, self.reason)
    }
}

/// Register, log in, join, send, read, ask the time, log out. The device ends with a token in `device-token`
/// all the same: the lines to copy need one.
pub fn walk(scene: &Scene) -> Result<(), StepFailed> {
    let password = places::write_secret(&scene.folder.join("device-password"), "a long password")
        .display()
        .to_string();
    let token = scene.folder.join("device-token").display().to_string();
    let origin = scene.synapse.origin.as_str();
    let account = ["--user", DEVICE, "--password-file", &password];
    let with_token = ["--token-file", &token];
    let to_room = ["--room", &scene.room_id];
    let user_id = format!("@{DEVICE}:localhost");

    step(
        scene,
        "register",
        &[&account[..], &["--homeserver", origin]].concat(),
        "",
    )?;
    step(
        scene,
        "login",
        &[
            &account[..],
            &["--save-token", &token, "--homeserver", origin],
        ]
        .concat(),
        "",
    )?;

    println!(
        "\n==> {} invites {user_id} (Matrix: POST …/invite)",
        scene.alice.user_id
    );
    scene.alice.invite(&scene.room_id, &user_id);

    step(
        scene,
        "join",
        &[&to_room[..], &with_token, &["--homeserver", origin]].concat(),
        &scene.room_id,
    )?;
    let full_form = ["--message", REPORT, "--homeserver", origin, "--full"];
    step(
        scene,
        "send",
        &[&to_room[..], &with_token, &full_form].concat(),
        "event_id",
    )?;
    arrived(scene, &user_id)?;

    println!(
        "\n==> {} replies (Matrix: PUT …/send/m.room.message/…): {REPLY:?}",
        scene.alice.user_id
    );
    scene.alice.send(
        &scene.room_id,
        &json!({ "msgtype": "m.text", "body": REPLY }),
    );
    step(
        scene,
        "getmsg",
        &[&to_room[..], &with_token, &["--homeserver", origin]].concat(),
        REPLY,
    )?;
    step(scene, "time", &[], "2.05")?;
    step(
        scene,
        "logout",
        &[&with_token[..], &["--homeserver", origin]].concat(),
        "2.04",
    )?;

    println!("\n==> logging in once more, for the lines below");
    quietly(
        "login",
        &[
            &account[..],
            &["--save-token", &token, "--gateway", &scene.gateway_uri],
        ]
        .concat(),
    )
    .map(|_| ())
}

/// Shows the room as a person's Matrix client sees it, and that the device's message is in it.
fn arrived(scene: &Scene, user_id: &str) -> Result<(), StepFailed> {
    println!(
        "\n==> the room as {} sees it (Matrix: GET …/messages)",
        scene.alice.user_id
    );
    let messages = scene.alice.messages(&scene.room_id);
    for message in &messages {
        println!(
            "    {}  {}: {}",
            message["event_id"], message["sender"], message["body"]
        );
    }
    let there = messages
        .iter()
        .any(|message| message["sender"] == user_id && message["body"] == REPORT);
    if there {
        Ok(())
    } else {
        Err(failed("send", "the message is not in the room"))
    }
}

/// Runs `comatrix-gateway device …`, shows command and output, and checks that `expected` is in the output.
fn step(scene: &Scene, name: &str, arguments: &[&str], expected: &str) -> Result<(), StepFailed> {
    let arguments = [arguments, &["--gateway", &scene.gateway_uri]].concat();
    println!("\n$ comatrix-gateway device {name} {}", spelled(&arguments));
    let output = quietly(name, &arguments)?;
    print!("{output}");
    if output.contains(expected) {
        return Ok(());
    }
    Err(failed(
        name,
        &format!("{expected:?} is not in the response"),
    ))
}

fn quietly(name: &str, arguments: &[&str]) -> Result<String, StepFailed> {
    let output = Command::new(gateway::binary())
        .args(["device", name])
        .args(arguments)
        .output()
        .map_err(|error| failed(name, &error.to_string()))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    print!("{printed}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err(failed(name, &format!("it ended with {}", output.status)))
}

fn failed(step: &str, reason: &str) -> StepFailed {
    StepFailed {
        step: step.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Quoted for a shell where that is needed, and with paths as short as they can be.
fn spelled(arguments: &[&str]) -> String {
    let here = fs::canonicalize(".")
        .map(|here| format!("{}/", here.display()))
        .unwrap_or_default();
    let words = arguments
        .iter()
        .map(|word| word.strip_prefix(&here).unwrap_or(word));
    words
        .map(|word| {
            let plain = word
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_./:@=".contains(letter));
            if plain {
                word.to_owned()
            } else {
                format!("'{word}'")
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
