//! `comatrix-gateway device …` as a device with a key, and with a security context.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::coaps_stage::{Enrolled, LONG, Stage};
use crate::running_gateway::command;

/// Writes a file that its owner alone can read.
pub fn write(stage: &Stage, file: &str, text: &str) {
    let path = stage.running.folder.join(file);
    fs::write(&path, text).expect("the folder is the test's");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is there");
}

/// Runs a device command: exit status and output.
pub fn device(stage: &Stage, words: &[&str]) -> (i32, String) {
    command(&stage.running.folder, &[&["device"], words].concat())
}

/// The options of a device with a key.
pub fn with_key(kitchen: &Enrolled) -> Vec<String> {
    let gateway = format!("coaps://127.0.0.1:{}", kitchen.port);
    [
        "--gateway",
        &gateway,
        "--psk-identity",
        &kitchen.name,
        "--psk-file",
        "kitchen.key",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Enrols a device with a security context, as its operator does.
pub fn enrol_with_context(stage: &Stage, words: &[&str]) {
    let (code, said) = stage.devices(&[words, &["--json"]].concat());
    assert_eq!(code, 0, "{said}");
    let value: Value = serde_json::from_str(&said).expect("JSON");
    let text = |name: &str| value["oscore"][name].as_str().expect("digits").to_owned();
    let file = format!(
        "# kitchen\nmaster_secret,hex,\"{}\"\nmaster_salt,hex,\"{}\"\nsender_id,hex,\"{}\"\n\
         recipient_id,hex,\"{}\"\nreplay_window,integer,32\naead_alg,integer,10\nhkdf_alg,integer,-10\n",
        text("secret"),
        text("salt"),
        text("sender_id"),
        text("recipient_id")
    );
    write(stage, "kitchen.oscore", &file);
}

/// The options of a device with a security context.
pub fn with_context(stage: &Stage) -> Vec<String> {
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let gateway = format!("coap://{gateway}");
    ["--gateway", &gateway, "--oscore", "kitchen.oscore"]
        .map(str::to_owned)
        .to_vec()
}

/// As [`device`], and again while the gateway stores the state of a new context.
pub fn patiently(stage: &Stage, words: &[&str]) -> (i32, String) {
    for _ in 0..100 {
        let (code, said) = device(stage, words);
        if !said.contains("stores the state of a new security context") {
            return (code, said);
        }
    }
    panic!("it never ends");
}

pub fn all<'a>(words: &[&'a str], options: &'a [String]) -> Vec<&'a str> {
    words
        .iter()
        .copied()
        .chain(options.iter().map(String::as_str))
        .collect()
}

/// The story of a device: both directions in blocks.
pub fn tells_its_story(stage: &Stage, options: &[String]) {
    write(stage, "token", "syt_of_kitchen");
    let (code, said) = patiently(stage, &all(&["time", "--json"], options));
    let time: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert!(code == 0 && time["response"]["code"] == "2.05", "{said}");
    let send = [
        "send",
        "!a:h",
        LONG,
        "--token-file",
        "token",
        "--block-size",
        "64",
        "--json",
    ];
    let (code, said) = device(stage, &all(&send, options));
    assert_eq!(code, 0, "{said}");
    let sent: Value = serde_json::from_str(&said).expect("JSON");
    assert!(
        sent["sent"]["datagrams"].as_u64() >= Some(LONG.len() as u64 / 64),
        "{said}"
    );
    let bodies = stage
        .stub
        .received()
        .into_iter()
        .map(|received| received.body);
    let count = bodies
        .filter(|body| String::from_utf8_lossy(body).contains(LONG))
        .count();
    assert_eq!(count, 1);
    let getmsg = [
        "getmsg",
        "!a:h",
        "--token-file",
        "token",
        "--block-size",
        "64",
        "--json",
    ];
    let (code, said) = device(stage, &all(&getmsg, options));
    assert!(code == 0 && said.contains(LONG), "{said}");
    // Plain CoAP would show the text on its way.
    assert!(said.contains("\"round_trip_ms\""), "{said}");
    let (code, said) = device(
        stage,
        &all(&["time", "--repeat", "3", "--interval", "0"], options),
    );
    assert_eq!((code, said.matches("2.05").count()), (0, 3), "{said}");
}

#[test]
fn a_device_with_a_key_tells_its_story_and_is_named_in_the_log() {
    let stage = Stage::start("device-psk");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    write(&stage, "kitchen.key", &format!("{}\n", kitchen.key));
    tells_its_story(&stage, &with_key(&kitchen));
    let (_, log) = stage.restart();
    assert_eq!(log.matches("principal=kitchen").count(), 6, "{log}");
    // Three repetitions in one session.
    assert!(!log.contains("cannot open a session"), "{log}");
}

#[test]
fn a_wrong_key_and_a_wrong_name_end_at_once_with_a_remedy() {
    let stage = Stage::start("device-psk-wrong");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    write(&stage, "kitchen.key", "aaaaaaaaaaaaaaaa");
    let wrong = with_key(&kitchen);
    let mut stranger = wrong.clone();
    stranger[3] = "roof".to_owned();
    for options in [wrong, stranger] {
        let (code, said) = device(&stage, &all(&["time"], &options));
        assert!(
            code == 6 && said.contains("alert 51") && said.contains("devices rotate"),
            "{said}"
        );
    }
}

#[test]
fn a_device_with_a_security_context_tells_its_story_also_after_a_restart_of_the_gateway() {
    let stage = Stage::start("device-oscore");
    enrol_with_context(&stage, &["add", "kitchen", "--oscore"]);
    tells_its_story(&stage, &with_context(&stage));
    let (stage, log) = stage.restart();
    assert_eq!(log.matches("principal=kitchen").count(), 6, "{log}");
    // The gateway asks for an Echo value, and the command sends it.
    let (code, said) = patiently(&stage, &all(&["time"], &with_context(&stage)));
    assert!(code == 0 && said.contains("with OSCORE"), "{said}");
    // Each command has used numbers of its own.
    let sequence = fs::read_to_string(stage.running.folder.join("kitchen.seq")).expect("written");
    assert!(
        sequence
            .trim()
            .parse::<u64>()
            .is_ok_and(|end| end >= 5 * 256),
        "{sequence}"
    );
    let rotated = ["rotate", "kitchen"];
    assert_eq!(stage.devices(&rotated).0, 0);
    let (code, said) = device(&stage, &all(&["time"], &with_context(&stage)));
    assert!(
        code == 7 && said.contains("not protected") && said.contains("rotate"),
        "{said}"
    );
}

#[test]
fn files_that_others_can_read_and_options_that_do_not_fit_are_refused() {
    let stage = Stage::start("device-files");
    let folder = stage.running.folder.clone();
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    write(&stage, "kitchen.key", &kitchen.key);
    enrol_with_context(&stage, &["add", "roof", "--oscore"]);
    let key = with_key(&kitchen);
    let context = with_context(&stage);
    let mixed = [key.clone(), context[2..].to_vec()].concat();
    for (words, options, part) in [
        (&["time"][..], &key[..2], "needs --psk-identity NAME"),
        (&["time"], &key[2..], "are for coaps:// gateways"),
        (&["time"], &mixed, "OSCORE needs no DTLS"),
    ] {
        let (code, said) = device(&stage, &all(words, options));
        assert!(code == 2 && said.contains(part), "{options:?}: {said}");
    }
    for (file, text, part) in [
        ("kitchen.key", "short", "a key has 16 to 64 characters"),
        (
            "kitchen.oscore",
            "master_secret,hex,\"0\"\n",
            "line 1: master_secret cannot be used",
        ),
        (
            "kitchen.oscore",
            "sender_id,hex,\"01\"\n",
            "master_secret is missing",
        ),
        (
            "kitchen.oscore",
            "aead_alg,integer,30\n",
            "line 1: aead_alg cannot be used",
        ),
        (
            "kitchen.oscore",
            "nonsense",
            "line 1 is not name,type,value",
        ),
    ] {
        write(&stage, file, text);
        let options = if file == "kitchen.key" {
            &key
        } else {
            &context
        };
        let (code, said) = device(&stage, &all(&["time"], options));
        assert!(code == 2 && said.contains(part), "{text}: {said}");
    }
    for (file, options) in [("kitchen.key", &key), ("kitchen.oscore", &context)] {
        let mode = fs::Permissions::from_mode(0o640);
        fs::set_permissions(folder.join(file), mode).expect("it is there");
        let (code, said) = device(&stage, &all(&["time"], options));
        assert!(code == 2 && said.contains("other users can read"), "{said}");
    }
}

#[test]
fn two_commands_never_use_one_security_context_at_the_same_time() {
    let stage = Stage::start("device-oscore-lock");
    enrol_with_context(&stage, &["add", "kitchen", "--oscore"]);
    let file = fs::File::open(stage.running.folder.join("kitchen.oscore")).expect("it is there");
    file.lock().expect("nobody has it");
    let (code, said) = device(&stage, &all(&["time"], &with_context(&stage)));
    assert!(
        code == 2 && said.contains("another command uses it"),
        "{said}"
    );
    drop(file);
    write(&stage, "kitchen.seq", "");
    let (code, said) = device(&stage, &all(&["time"], &with_context(&stage)));
    assert!(code == 2 && said.contains("devices rotate"), "{said}");
}
