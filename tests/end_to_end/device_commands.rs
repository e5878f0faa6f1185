//! `comatrix-gateway device …`: the binary as a device, for people and scripts.

use std::process::Output;

use comatrix_tests::gateway;
use comatrix_tests::places::Scratch;
use serde_json::{Value, json};

use crate::stage;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn device(words: &[&str]) -> Output {
    gateway::run(&[&["device"], words].concat())
}

#[test]
fn device_commands_go_through_the_story_and_end_with_useful_statuses() {
    let scratch = Scratch::new("device");
    let origin = stage::synapse().origin.as_str();
    let gateway = format!("coap://{}", stage::over_ipv6());
    let person = stage::homeserver().register("person");
    let room_id = person.create_room(None);
    let name = format!("{}-commands", person.name);
    person.invite(&room_id, &format!("@{name}:localhost"));
    let password = scratch
        .write("password", "a long password")
        .display()
        .to_string();
    let token = scratch.path().join("token").display().to_string();
    let to = ["--gateway", &gateway, "--homeserver", origin];
    let account = ["--user", &name, "--password-file", &password];
    let with_token = ["--room", &room_id, "--token-file", &token];

    let steps: [Vec<&str>; 5] = [
        [&["register"][..], &account, &to].concat(),
        [&["login", "--save-token", &token][..], &account, &to].concat(),
        [&["join"][..], &with_token, &to].concat(),
        [
            &["send", "--message", "from the command line"][..],
            &with_token,
            &to,
        ]
        .concat(),
        [&["getmsg", "--json"][..], &with_token, &to].concat(),
    ];
    let mut printed = String::new();
    for words in &steps {
        let output = device(words);
        printed = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words:?}: {printed}{}",
            text(&output.stderr)
        );
        let secret =
            std::fs::read_to_string(&token).unwrap_or_else(|_| "a long password".to_owned());
        assert!(
            !printed.contains(secret.trim()),
            "{words:?} prints a secret: {printed}"
        );
    }
    let read: Value = serde_json::from_str(&printed).expect("--json prints an object a line");
    assert_eq!(
        read["response"]["payload"]["body"],
        json!("from the command line"),
        "{read}"
    );

    let time = device(&[
        "time",
        "--repeat",
        "3",
        "--interval",
        "0.1",
        "--non",
        "--json",
        "--gateway",
        &gateway,
    ]);
    assert_eq!(
        (time.status.code(), text(&time.stdout).lines().count()),
        (Some(0), 3),
        "{time:?}"
    );

    let logout = device(&[&["logout", "--token-file", &token][..], &to].concat());
    assert_eq!(logout.status.code(), Some(0), "{logout:?}");
    let after = device(&[&["getmsg"][..], &with_token, &to].concat());
    assert_eq!(
        after.status.code(),
        Some(4),
        "the token is no longer valid: {after:?}"
    );
    assert_eq!(
        device(&["time", "--gateway", "nonsense"]).status.code(),
        Some(2)
    );
}
