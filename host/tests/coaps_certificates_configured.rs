//! `[coaps] certificate`, `key` and `ca_file`: what stops a start and a reload, and when the port opens.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::certificate_files::{Authority, sign_itself};
use crate::coaps_certificates::WITH_AUTHORITY;
use crate::coaps_stage::Stage;
use crate::running_gateway::Running;
use crate::scratch;

/// A gateway that does not start: exit status and errors.
fn refused(folder: &Path, configuration: &str) -> (Option<i32>, String) {
    fs::write(folder.join("gateway.toml"), configuration).expect("it is the test's");
    let output = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"))
        .args([
            "--ip",
            "127.0.0.1",
            "--port",
            "0",
            "--config",
            "gateway.toml",
        ])
        .args(["--state-dir", "state", "--cache-dir", "cache"])
        .current_dir(folder)
        .output()
        .expect("it is built");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn certificates_and_keys_that_cannot_be_used_stop_the_start_with_the_remedy() {
    let folder = scratch::folder("certificates-start");
    let authority = Authority::new("farm");
    authority.write(&folder, "ca.pem");
    authority.sign(&folder, "own", "127.0.0.1", 2090);
    authority.sign(&folder, "other", "127.0.0.1", 2090);
    authority.sign(&folder, "open", "127.0.0.1", 2090);
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.join("open.key"), mode).expect("it is there");
    for (certificate, key, authority, part) in [
        (
            "own.pem",
            "other.key",
            "ca.pem",
            "the key does not belong to the certificate",
        ),
        ("own.pem", "own.pem", "ca.pem", "other users can read"),
        ("open.pem", "open.key", "ca.pem", "chmod 600"),
        (
            "own.key",
            "own.key",
            "ca.pem",
            "has no X.509 certificate in PEM",
        ),
        ("nowhere.pem", "own.key", "ca.pem", "cannot read"),
        ("own.pem", "nowhere.key", "ca.pem", "cannot read"),
        ("own.pem", "own.key", "nowhere.pem", "cannot read"),
        (
            "own.pem",
            "own.key",
            "own.key",
            "no PEM file with X.509 certificates",
        ),
        (
            "own.pem",
            "own.key",
            "own.pem",
            "is not that of an authority",
        ),
    ] {
        let configuration = format!(
            "[coaps]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\nca_file = \"{authority}\"\n"
        );
        let (code, said) = refused(&folder, &configuration);
        assert!(
            code == Some(2) && said.contains(part) && said.contains("[coaps] "),
            "{configuration}{said}"
        );
        assert!(!said.contains("BEGIN"), "{said}");
    }
    for (configuration, part) in [
        (
            "[coaps]\ncertificate = \"own.pem\"\n",
            "set key to the file",
        ),
        ("[coaps]\nkey = \"own.key\"\n", "set certificate and key"),
        ("[coaps]\nca_file = \"ca.pem\"\n", "set certificate and key"),
    ] {
        let (code, said) = refused(&folder, configuration);
        assert!(
            code == Some(2) && said.contains(part),
            "{configuration}{said}"
        );
    }
}

#[test]
fn a_gateway_whose_certificate_has_expired_serves_and_says_so_and_a_reload_is_refused() {
    let folder = scratch::folder("certificates-expired");
    let authority = Authority::new("farm");
    authority.write(&folder, "ca.pem");
    authority.sign(&folder, "own", "127.0.0.1", 2021);
    let stage = Stage::start_in(folder, WITH_AUTHORITY);
    let (code, said) = stage.running.rules(&["reload"]);
    let part = "the gateway's certificate cannot be used now: it expired 2021-01-01T00:00:00Z";
    assert!(code == 1 && said.contains(part), "{said}");
    let (_, log) = stage.restart();
    assert!(log.contains(part), "{log}");
}

#[test]
fn coaps_opens_for_a_configured_certificate_at_the_start_and_at_a_reload() {
    // An address of this process alone: the port is always the same.
    let id = std::process::id().to_be_bytes();
    for (number, at_the_start) in [(1, true), (2, false)] {
        let address = format!("127.{}.{}.{number}", 100 + id[2] % 100, id[3]);
        let folder = scratch::folder(&format!("certificates-open-{number}"));
        Authority::new("farm").write(&folder, "ca.pem");
        sign_itself(&folder, "own", "127.0.0.1");
        let write = |text: &str| fs::write(folder.join("gateway.toml"), text).expect("a file");
        write(if at_the_start { WITH_AUTHORITY } else { "" });
        let args = ["--control-socket", "control.sock", "--state-dir", "state"];
        let running = Running::launch_at(folder.clone(), &address, &args);
        if !at_the_start {
            let is_free = UdpSocket::bind((&*address, 5684)).is_ok();
            assert!(is_free, "it is closed");
            write(WITH_AUTHORITY);
            let (code, said) = running.rules(&["reload"]);
            assert_eq!(code, 0, "{said}");
        }
        let log = running.log();
        let line = format!("listening on coaps://{address}:5684");
        assert!(log.contains(&line), "{at_the_start}: {log}");
    }
}
