//! The users who may command a running gateway: its own user and root, and nobody else, even where somebody has opened
//! the socket's mode.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places;

/// `nobody`.
const OTHER_USER: &str = "65534";

/// A gateway whose control socket is in a folder that everybody can reach, as no folder of a build need be.
struct Reachable {
    gateway: Gateway,
    folder: PathBuf,
    socket: PathBuf,
}

impl Reachable {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("comatrix-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(&folder, open).expect("it was just made");
        let socket = folder.join("control.sock");
        let gateway = Gateway::start(&[
            "--homeserver",
            "http://127.0.0.1:9",
            "--control-socket",
            &socket.display().to_string(),
        ]);
        Self {
            gateway,
            folder,
            socket,
        }
    }

    fn own_list(&self) -> bool {
        let socket = self.socket.display().to_string();
        gateway::run(&["rules", "--control-socket", &socket, "list"])
            .status
            .success()
    }
}

impl Drop for Reachable {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The reply to another user's command, if any. Only root can become one: without it, the tests go through sudo
/// as
/// `cargo xtask setup` does.
pub fn as_another_user(socket: &Path, says: &str) -> String {
    let is_root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = if is_root {
        Command::new(places::python())
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("-n").arg(places::python());
        sudo
    };
    command
        .arg(places::client_program("as_user.py"))
        .arg(socket);
    let output = command.args([OTHER_USER, says]).output();
    let output = output.expect("python, or sudo where the tests do not run as root, starts");
    assert!(
        output.status.success(),
        "the tests must run as root or with sudo: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn another_user_cannot_reach_the_control_socket() {
    let stage = Reachable::new("mode");
    let mode = fs::metadata(&stage.socket)
        .expect("it is bound")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = as_another_user(&stage.socket, "");
    assert!(said.starts_with("PermissionError"), "{said}");
    assert!(stage.own_list(), "its own user can");
}

#[test]
fn another_user_is_refused_where_the_socket_was_opened_to_all() {
    let stage = Reachable::new("user");
    fs::set_permissions(&stage.socket, Permissions::from_mode(0o666)).expect("it is the test's");
    let said = as_another_user(&stage.socket, "");
    assert!(
        said.contains("refused") && said.contains("own user and root"),
        "{said}"
    );
    let log = stage.gateway.log();
    assert!(log.contains("user 65534 was refused"), "{log}");
    assert!(stage.own_list(), "its own user is served as before");
}
