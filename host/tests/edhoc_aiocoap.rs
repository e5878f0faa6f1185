//! aiocoap with lakers-python as a device with a key pair, by the commands that `devices add --edhoc` prints.

use std::path::Path;
use std::process::Command;

use crate::coaps_stage::Stage;
use crate::enrolment_lines::{aiocoap, assert_time, run};

/// What a program beside aiocoap's client prints in the folder of the gateway.
fn beside(client: &Path, program: &str, stage: &Stage, args: &[&str]) -> String {
    let output = Command::new(client.with_file_name(program))
        .args(args)
        .current_dir(&stage.running.folder)
        .output()
        .expect("it is installed with the client");
    String::from_utf8(output.stdout).expect("text")
}

/// Enrols a device whose key aiocoap has made, and runs the commands for it with these changes.
fn run_enrolled(stage: &Stage, client: &Path, changes: &[(&str, &str)]) -> String {
    let ccs = beside(
        client,
        "aiocoap-keygen",
        stage,
        &["generate", "kitchen.cosekey", "--kid", "0b"],
    );
    let (code, said) = stage.devices(&["add", "kitchen", "--edhoc", ccs.trim()]);
    assert_eq!(code, 0, "{said}");
    let lines: Vec<&str> = said
        .lines()
        .skip_while(|line| !line.starts_with("aiocoap"))
        .skip(1)
        .collect();
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let (gateway, client) = (gateway.to_string(), client.display().to_string());
    let of_stage = [("localhost", &*gateway), ("aiocoap-client", &*client)];
    run(stage, &lines, &[changes, &of_stage].concat())
}

/// How often the resource was asked, and whether the device had the time under its name.
fn assert_log(stage: Stage, handshakes: usize) {
    let (_, log) = stage.restart();
    assert_eq!(
        log.matches("path=/.well-known/edhoc").count(),
        handshakes,
        "{log}"
    );
    let time = log.lines().find(|line| line.contains("path=/time"));
    assert!(
        time.is_some_and(|line| line.contains("principal=kitchen")),
        "{log}"
    );
}

#[test]
fn the_commands_for_aiocoap_agree_on_a_context_with_their_first_request() {
    let Some(client) = aiocoap() else {
        return;
    };
    let stage = Stage::start("edhoc-aiocoap");
    assert_time(&run_enrolled(&stage, &client, &[]));
    assert_log(stage, 1);
}

#[test]
fn aiocoap_agrees_on_a_context_by_separate_messages_too() {
    let Some(client) = aiocoap() else {
        return;
    };
    let stage = Stage::start("edhoc-aiocoap-separate");
    let separate = [(
        "\"method\": 3",
        "\"method\": 3, \"use_combined_edhoc\": false",
    )];
    assert_time(&run_enrolled(&stage, &client, &separate));
    assert_log(stage, 2);
}

#[test]
fn aiocoap_with_its_credential_by_value_is_found_by_its_bytes() {
    let Some(client) = aiocoap() else {
        return;
    };
    let stage = Stage::start("edhoc-aiocoap-by-value");
    assert_time(&run_enrolled(&stage, &client, &[("by-key-id", "by-value")]));
    assert_log(stage, 1);
}
