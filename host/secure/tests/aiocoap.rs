//! aiocoap as an OSCORE client of this crate and the endpoint, over UDP: the one that `cargo xtask setup` installs, or
//! that of the Python in AIOCOAP_PYTHON. Where neither is there, nothing is tested.
//!
//! A private address of its own: the credentials of aiocoap hold the sequence numbers of one run.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The example `oscore_server`, which ends with this value.
struct Server {
    process: Child,
    address: String,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Server {
    fn start(stored_end: &str) -> Self {
        // Beside the folder of this test.
        let this = std::env::current_exe().expect("a path");
        let folder = this.ancestors().nth(2).expect("a folder of the build");
        let mut process = Command::new(folder.join("examples/oscore_server"))
            .args(["127.0.0.1:0", stored_end])
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo test builds the examples");
        let output = process.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(output).lines();
        let first = lines.next().expect("a line").expect("text");
        let address = first.strip_prefix("listening on ").expect("an address");
        Self {
            address: address.to_owned(),
            process,
            lines,
        }
    }

    /// Ends the server, and returns what it has printed.
    fn end(mut self) -> Vec<String> {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
        self.lines.map_while(Result::ok).collect()
    }
}

/// A Python with aiocoap.
fn python() -> Option<PathBuf> {
    let of_setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
    let python = std::env::var_os("AIOCOAP_PYTHON").map_or(of_setup, PathBuf::from);
    python.exists().then_some(python)
}

fn device(python: &Path, server: &Server, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aiocoap_client.py");
    let output = Command::new(python)
        .arg(program)
        .arg(&server.address)
        .arg(format!("{}/", folder.display()))
        .output()
        .expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn credentials() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("oscore-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let settings = r#"{"sender-id_hex": "01", "recipient-id_hex": "67", "salt_hex": "9e7ca92223786340",
        "secret_hex": "0102030405060708090a0b0c0d0e0f10"}"#;
    std::fs::write(folder.join("settings.json"), settings).expect("a file");
    folder
}

const EVERYTHING: &str = "\
time 2.05 Content
put 2.04 Changed
get 2.05 Content True
nowhere 4.04 Not Found
observed 4
";

#[test]
fn aiocoap_gets_puts_and_observes_and_goes_on_after_a_restart_of_the_server() {
    let Some(python) = python() else {
        return;
    };
    let folder = credentials();
    let server = Server::start("0");
    assert_eq!(device(&python, &server, &folder), EVERYTHING);
    let output = server.end();
    assert!(
        !output.iter().any(|line| line.contains("refused")),
        "{output:?}"
    );

    let server = Server::start("256");
    assert_eq!(device(&python, &server, &folder), EVERYTHING);
    let refused: Vec<_> = server
        .end()
        .into_iter()
        .filter(|line| line.contains("refused"))
        .collect();
    // One challenge recovers the replay window.
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("before the restart"), "{refused:?}");
    std::fs::remove_dir_all(folder).expect("it is there");
}
