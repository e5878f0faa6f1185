//! Lines to copy for `coap-client` and `aiocoap-client`. With `--once` each of them is run as it is printed.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use comatrix_tests::{libcoap, places};

use crate::scene::Scene;
use crate::walk::StepFailed;

/// `{"msgtype": "m.text", "body": "hello in CBOR"}`.
const MESSAGE: &[u8] = b"\xa2\x67msgtype\x66m.text\x64body\x6dhello in CBOR";

/// A line for a shell.
pub struct Line {
    /// Its purpose.
    pub purpose: &'static str,
    /// The line.
    pub command: String,
    /// Text that its output has if all went well.
    expected: String,
}

/// The lines for this scene.
pub fn lines(scene: &Scene) -> Vec<Line> {
    let coap = libcoap::program()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let aiocoap = places::workspace().join("target/venv/bin/aiocoap-client");
    let aiocoap = aiocoap.display();
    let (gateway, room, origin) = (&scene.gateway_uri, &scene.room_id, &scene.synapse.origin);
    let folder = scene.folder.display();
    // The part of the time that stays the same while the demonstration runs: hours.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let hours = (now / 10_000).to_string();
    let message = scene.folder.join("message.cbor");
    fs::write(&message, MESSAGE).unwrap_or_else(|error| panic!("{}: {error}", message.display()));
    let line = |purpose, command, expected: &str| Line {
        purpose,
        command,
        expected: expected.to_owned(),
    };
    vec![
        line(
            "the list of resources",
            format!("{coap} -m get '{gateway}/.well-known/core'"),
            "</send>",
        ),
        line(
            "the time",
            format!("{coap} -m get '{gateway}/time'"),
            &hours,
        ),
        line(
            "a message in JSON, with the gateway's own token",
            format!(
                "{coap} -m put -t 50 -A 50 -e '{}' '{gateway}/send/{room}'",
                r#"{"msgtype":"m.text","body":"hello from libcoap"}"#
            ),
            "event_id",
        ),
        line(
            "the last message, in JSON",
            format!("{coap} -m get -A 50 '{gateway}/getmsg/{room}'"),
            "hello from libcoap",
        ),
        line(
            "as the devices of 2021 do it: CBOR, Proxy-Uri (35), the device's token (256)",
            format!(
                "{coap} -m put -t 60 -f '{folder}/message.cbor' -O {} -O {} '{gateway}/send'",
                format_args!(r#""35,{origin}/9/"'{room}'"/m.room.message/$(date +%s)""#),
                format_args!(r#""256,$(cat '{folder}/device-token')""#)
            ),
            "event_id",
        ),
        line(
            "the time, by aiocoap",
            format!("{aiocoap} '{gateway}/time'"),
            &hours,
        ),
        line(
            "a message in CBOR, by aiocoap",
            format!(
                "{aiocoap} -m PUT --content-format application/cbor --payload '{}' '{gateway}/send/{room}'",
                r#"{"msgtype": "m.text", "body": "hello from aiocoap"}"#
            ),
            "event_id",
        ),
        line(
            "the last message, by aiocoap",
            format!("{aiocoap} --accept application/json '{gateway}/getmsg/{room}'"),
            "hello from aiocoap",
        ),
    ]
}

/// Prints them.
pub fn print(scene: &Scene, lines: &[Line]) {
    println!("\n==> try it yourself; the room is {}", scene.room_id);
    for line in lines {
        println!("\n# {}\n{}", line.purpose, line.command);
    }
}

/// Runs each as it stands, in a shell.
pub fn run_each(lines: &[Line]) -> Result<(), StepFailed> {
    println!("\n==> running these lines");
    for line in lines {
        let failed = |reason: String| StepFailed {
            step: line.purpose.to_owned(),
            reason,
        };
        let output = Command::new("sh")
            .args(["-c", &line.command])
            .output()
            .map_err(|error| failed(error.to_string()))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        println!("{}: {}", line.purpose, printed.trim_end());
        if !printed.contains(&line.expected) {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!(
                "{:?} is not in its output; it said: {said}",
                line.expected
            )));
        }
    }
    Ok(())
}
