//! Devices with keys: enrolled by an operator of the running gateway, and played by libcoap with OpenSSL and GnuTLS.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::coaps_stage::{Enrolled, LONG, Stage, clients};

#[test]
fn an_enrolled_device_logs_in_sends_in_blocks_and_is_named_in_the_log() {
    let stage = Stage::start("coaps-story");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    for client in clients() {
        assert!(kitchen.tells_time(client), "{client}");
        let discovered = kitchen.ask(client, ".well-known/core", &[]);
        assert!(discovered.contains("</login>"), "{client}: {discovered}");
        let user = r#"{"type":"m.id.user","user":"kitchen"}"#;
        let login =
            format!(r#"{{"type":"m.login.password","password":"secret","identifier":{user}}}"#);
        let token = kitchen.ask(
            client,
            "login",
            &["-m", "post", "-t", "50", "-A", "50", "-e", &login],
        );
        assert!(token.contains("syt_of_kitchen"), "{client}: {token}");
        let token = "256,syt_of_kitchen";
        let args = [
            "-m", "put", "-b", "64", "-t", "0", "-A", "50", "-O", token, "-e", LONG,
        ];
        let sent = kitchen.ask(client, "send/!a:h", &args);
        assert!(sent.contains("$e"), "{client}: {sent}");
        let bodies: Vec<String> = stage
            .stub
            .received()
            .into_iter()
            .map(|received| String::from_utf8_lossy(&received.body).into_owned())
            .collect();
        assert!(
            bodies.iter().any(|body| body.contains(LONG)),
            "{client}: {bodies:?}"
        );
    }
    let (_, log) = stage.restart();
    assert!(log.contains("principal=kitchen"), "{log}");
    assert!(
        log.contains("asks for the enrolment of device kitchen"),
        "{log}"
    );
    assert!(!log.contains(&kitchen.key), "no key is logged");
}

#[test]
fn a_device_observes_a_room_in_blocks_of_64_bytes() {
    let stage = Stage::start("coaps-observes");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    for client in clients() {
        let args = ["-s", "2", "-A", "0", "-O", "256,syt_of_kitchen"];
        let said = kitchen.ask(client, "getmsg/!a:h", &args);
        assert!(
            said.contains("the flour gets wet again"),
            "{client}: {said}"
        );
    }
}

#[test]
fn a_wrong_key_and_a_stranger_get_nothing_and_the_operator_reads_why() {
    let stage = Stage::start("coaps-wrong");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    let wrong = Enrolled {
        key: "aaaaaaaaaaaaaaaa".to_owned(),
        name: "kitchen".to_owned(),
        ..kitchen
    };
    let stranger = Enrolled {
        name: "roof".to_owned(),
        ..kitchen
    };
    for client in clients() {
        for device in [&wrong, &stranger] {
            assert!(!device.tells_time(client), "{client}");
        }
    }
    let (stage, log) = stage.restart();
    for part in [
        "no device is enrolled with the PSK identity \"roof\"",
        "\"kitchen\" used a wrong key",
    ] {
        assert_eq!(log.matches(part).count(), 1, "{part:?} once an hour: {log}");
    }
    drop(stage);
}

#[test]
fn an_enrolment_survives_a_restart_a_new_key_replaces_the_former_and_a_removed_device_is_out() {
    let stage = Stage::start("coaps-restart");
    let before = stage.enrol(&["add", "kitchen", "--psk"]);
    let (stage, _) = stage.restart();
    let (code, said) = stage.devices(&["show", "kitchen"]);
    assert!(
        code == 0 && said.contains("kitchen  pre-shared key "),
        "{said}"
    );
    assert!(!said.contains(&before.key), "{said}");
    let (code, said) = stage.devices(&["add", "kitchen", "--psk"]);
    assert!(
        code == 1 && said.contains("devices rotate kitchen"),
        "{said}"
    );
    let rotated = stage.enrol(&["rotate", "kitchen"]);
    assert_ne!(before.key, rotated.key);
    let before = Enrolled {
        port: rotated.port,
        ..before
    };
    let works = |device: &Enrolled| -> Vec<bool> {
        clients().map(|client| device.tells_time(client)).collect()
    };
    assert!(!works(&before).contains(&true), "the former key is void");
    assert!(!works(&rotated).contains(&false), "the new one is not");
    let (code, said) = stage.devices(&["remove", "kitchen"]);
    assert!(
        code == 0 && said.contains("removed device kitchen"),
        "{said}"
    );
    assert!(!works(&rotated).contains(&true));
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("no devices are enrolled"), "{said}");
    for args in [
        &["remove", "kitchen"][..],
        &["rotate", "kitchen"],
        &["show", "kitchen"],
    ] {
        let (code, said) = stage.devices(args);
        assert!(code == 1 && said.contains("devices list"), "{said}");
    }
}

#[test]
fn the_session_of_a_removed_device_and_of_a_gateway_that_stops_is_closed() {
    let stage = Stage::start("coaps-closed");
    for end in ["remove", "stop"] {
        let kitchen = stage.enrol(&["add", end, "--psk"]);
        let uri = format!("coaps://127.0.0.1:{}/getmsg/!a:h", kitchen.port);
        let mut observer = Command::new("coap-client-openssl")
            .args([
                "-v",
                "7",
                "-s",
                "60",
                "-A",
                "0",
                "-O",
                "256,syt_of_kitchen",
                "-u",
                end,
                "-k",
                &kitchen.key,
            ])
            .arg(uri)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("libcoap3-bin is installed");
        std::thread::sleep(Duration::from_secs(2));
        if end == "remove" {
            assert_eq!(stage.devices(&["remove", end]).0, 0);
        } else {
            stage.running.signal(rustix::process::Signal::TERM);
        }
        std::thread::sleep(Duration::from_secs(2));
        let _ = observer.kill();
        let output = observer.wait_with_output().expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("the flour gets wet again"), "{end}: {said}");
        assert!(
            said.to_lowercase().contains("close notify"),
            "{end}: {said}"
        );
    }
}
