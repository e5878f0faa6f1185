//! The commands that `comatrix-gateway devices add` prints: they work as they stand.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::coaps_stage::Stage;

/// aiocoap's client: of the variable, else of `cargo xtask setup`; none if neither is there.
pub fn aiocoap() -> Option<PathBuf> {
    let of_setup =
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/aiocoap-client");
    let client = std::env::var_os("AIOCOAP_CLIENT").map_or_else(of_setup, PathBuf::from);
    client.exists().then_some(client)
}

/// The indented lines below the line that begins with this.
pub fn commands<'a>(said: &'a str, title: &str) -> Vec<&'a str> {
    let mut lines = said
        .lines()
        .skip_while(|line| !line.starts_with(title))
        .skip(1);
    let commands: Vec<&str> = lines
        .by_ref()
        .take_while(|line| line.starts_with("  "))
        .collect();
    assert!(!commands.is_empty(), "{title:?} is not in {said}");
    commands
}

/// What these commands of a shell print.
pub fn run(stage: &Stage, commands: &[&str], changes: &[(&str, &str)]) -> String {
    let mut script = commands.join("\n");
    for (from, to) in changes {
        script = script.replace(from, to);
    }
    let output = Command::new("sh")
        .args(["-ec", &script])
        .current_dir(&stage.running.folder)
        .output()
        .expect("there is a shell");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

#[track_caller]
pub fn assert_time(said: &str) {
    let mut lines = said.lines();
    let is_time = |line: &str| {
        line.trim()
            .parse()
            .is_ok_and(|seconds: u64| seconds > 1_600_000_000)
    };
    assert!(lines.any(is_time), "{said}");
}

#[test]
fn the_commands_for_libcoap_get_the_time_with_a_key() {
    let stage = Stage::start("lines-psk");
    let (code, said) = stage.devices(&["add", "kitchen", "--psk"]);
    assert_eq!(code, 0, "{said}");
    for title in ["libcoap with OpenSSL", "libcoap with GnuTLS"] {
        let printed = run(
            &stage,
            &commands(&said, title),
            &[("localhost", "127.0.0.1")],
        );
        // Where libcoap is not installed there is nothing to show.
        if !printed.contains("not found") {
            assert_time(&printed);
        }
    }
}

/// Whether aiocoap has its library for DTLS.
fn has_dtls(client: &Path) -> bool {
    let python = client.with_file_name("python");
    let found = Command::new(python)
        .args(["-c", "import DTLSSocket"])
        .output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn the_commands_for_aiocoap_get_the_time_with_a_key() {
    let Some(client) = aiocoap().filter(|client| has_dtls(client)) else {
        return;
    };
    let stage = Stage::start("lines-psk-aiocoap");
    let (code, said) = stage.devices(&["add", "kitchen", "--psk"]);
    assert_eq!(code, 0, "{said}");
    let client = client.display().to_string();
    let changes = [("localhost", "127.0.0.1"), ("aiocoap-client", &client)];
    assert_time(&run(&stage, &commands(&said, "aiocoap"), &changes));
}

#[test]
fn the_commands_for_aiocoap_get_the_time_with_a_security_context_again_after_a_restart() {
    let Some(client) = aiocoap() else {
        return;
    };
    let stage = Stage::start("lines-oscore");
    let (code, said) = stage.devices(&["add", "kitchen", "--oscore"]);
    assert_eq!(code, 0, "{said}");
    let lines = commands(&said, "aiocoap");
    let client = client.display().to_string();
    let in_place = |stage: &Stage, lines: &[&str]| {
        let gateway = stage.running.client.peer_addr().expect("it is connected");
        let changes = [
            ("localhost", &*gateway.to_string()),
            ("aiocoap-client", &client),
        ];
        run(stage, lines, &changes)
    };
    assert_time(&in_place(&stage, &lines));
    let (stage, _) = stage.restart();
    // The folder with the sequence numbers stays; the port is another one.
    assert_time(&in_place(&stage, &lines[lines.len() - 2..]));
    let (_, log) = stage.restart();
    assert_eq!(log.matches("path=/time").count(), 1, "{log}");
    assert!(log.contains("principal=kitchen"), "{log}");
}

/// libcoap's client with OSCORE, of `cargo xtask setup`; none if it is not there.
fn libcoap_with_oscore() -> Option<PathBuf> {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/libcoap-oscore/coap-client");
    client.exists().then_some(client)
}

#[test]
fn the_commands_for_libcoap_get_the_time_with_a_security_context_again_after_a_restart() {
    let Some(client) = libcoap_with_oscore() else {
        return;
    };
    let stage = Stage::start("lines-oscore-libcoap");
    let (code, said) = stage.devices(&["add", "kitchen", "--oscore"]);
    assert_eq!(code, 0, "{said}");
    let lines = commands(&said, "libcoap 4.3.4");
    let client = client.display().to_string();
    let in_place = |stage: &Stage, lines: &[&str]| {
        let gateway = stage.running.client.peer_addr().expect("it is connected");
        let changes = [
            ("localhost", &*gateway.to_string()),
            ("coap-client-openssl", &client),
        ];
        // While the gateway stores its first sequence numbers, it is 5.03.
        let said = (0..100).map(|_| run(stage, lines, &changes));
        let mut said = said.skip_while(|said| said.contains("5.03"));
        said.next().expect("it stores them within a moment")
    };
    assert_time(&in_place(&stage, &lines));
    let (stage, _) = stage.restart();
    assert_time(&in_place(&stage, &lines[lines.len() - 1..]));
    let (_, log) = stage.restart();
    assert_eq!(log.matches("path=/time").count(), 1, "{log}");
    assert!(log.contains("principal=kitchen"), "{log}");
}
