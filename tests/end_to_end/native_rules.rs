//! A rule as native code, from its author's folder to a gateway for routers: compiled and signed by the full gateway,
//! copied, served, replaced while it serves, and refused if it is invalid. The gateway under test needs no compiler,
//! and may be for another processor.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::{Aiocoap, bytes};
use comatrix_tests::device::Request;
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::matrix::encoded;
use comatrix_tests::places::Scratch;

use crate::author_folder::AuthorFolder;
use crate::stage::{Room, synapse};

/// Content-Format of SenML in CBOR (RFC 8428 §12.1).
const SENML_CBOR: u16 = 112;
/// For changes that a gateway detects by itself; an emulated one is slow.
const SOON: Duration = Duration::from_secs(20);

const CONFIGURATION: &str = r#"
    [rules]
    keys = "keys"

    [[rule]]
    name = "senml"
    component = "senml.cwasm"
    allow = [
        "PUT any standard /_matrix/client/v3/rooms/*/send/m.room.message/*",
        "GET any standard /_matrix/client/v3/directory/room/*",
    ]
"#;

impl AuthorFolder {
    /// A release of the rule: its native code, the manifest and the signature.
    fn release(&self, revision: &str) -> [PathBuf; 3] {
        self.rule(&["manifest", "senml.wasm", "--revision", revision]);
        self.rule(&["compile", "senml.wasm", "--target", &gateway::target()]);
        self.rule(&["sign", "--key", "ann.key", "senml.cwasm.rule.json"]);
        ["", ".rule.json", ".rule.json.sig"]
            .map(|suffix| self.path().join(format!("senml.cwasm{suffix}")))
    }
}

/// The gateway, with the folder that its operator copies rules into.
struct Router {
    gateway: Gateway,
    folder: Scratch,
}

impl Router {
    fn start(author: &AuthorFolder) -> Self {
        let folder = Scratch::new("router");
        author.is_trusted_in(folder.path());
        copy(&author.release("1"), folder.path());
        let configuration = [gateway::EMULATED, CONFIGURATION].concat();
        let configuration = folder.write("gateway.toml", &configuration);
        let socket = folder.path().join("control.sock");
        let gateway = Gateway::start(&[
            "--homeserver",
            &synapse().origin,
            "--config",
            &configuration.display().to_string(),
            "--control-socket",
            &socket.display().to_string(),
        ]);
        Self { gateway, folder }
    }

    /// `comatrix-gateway rules …`: whether it succeeded, and its output.
    fn rules(&self, arguments: &[&str]) -> (bool, String) {
        let socket = self.folder.path().join("control.sock");
        let socket = socket.display().to_string();
        let output = gateway::run(&[&["rules", "--control-socket", &socket], arguments].concat());
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    }

    /// The output of `rules list`, once it contains `words`.
    fn until(&self, words: &str) -> String {
        let end = Instant::now() + SOON;
        loop {
            let (_, output) = self.rules(&["list"]);
            if output.contains(words) {
                return output;
            }
            assert!(Instant::now() < end, "{words:?}: {output}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// As with `scp` and then `mv`.
fn copy(files: &[PathBuf], folder: &Path) {
    for file in files.iter().rev() {
        let name = file.file_name().expect("it is a file").to_string_lossy();
        let incoming = folder.join(format!("{name}.incoming"));
        fs::copy(file, &incoming).expect("both folders are the test's");
        fs::rename(&incoming, folder.join(&*name)).expect("it was just copied");
    }
}

fn send(router: &Router, room: &Room) {
    // [{-2: "urn:dev:air:", 0: "temperature", 1: "Cel", 2: 21.5}, {0: "humidity", 1: "%RH", 2: 40}]
    let pack = bytes(
        "82 a4 21 6c 75726e3a6465763a6169723a 00 6b 74656d7065726174757265 01 63 43656c 02 f94d60 \
         a3 00 68 68756d6964697479 01 63 255248 02 1828",
    );
    let path = format!("/senml/{}", encoded(&room.room_id));
    let request = Request::new("POST", &path)
        .token(&room.device.access_token)
        .bytes(&pack, Some(SENML_CBOR));
    let response = Aiocoap::start(router.gateway.address).request(&request);
    assert_eq!(response.code, "2.04", "{}", response.text());
    assert!(room.newest().contains("21.5"), "{}", room.newest());
}

#[test]
fn a_signed_native_rule_serves_and_is_replaced_and_invalid_files_change_nothing() {
    let (author, room) = (AuthorFolder::new(), Room::new());
    let router = Router::start(&author);
    send(&router, &room);
    let list = router.until("(revision 1)");
    assert!(list.contains("signed by ann"), "{list}");

    // The gateway detects the new file.
    let newer = author.release("2");
    copy(&newer, router.folder.path());
    router.until("(revision 2)");
    send(&router, &room);
    let (done, output) = router.rules(&["rollback", "senml"]);
    assert!(done && output.contains("back to"), "{output}");
    router.until("(revision 1)");

    // A file that the operator names gets the same checks.
    let third = author.release("3");
    let code = fs::read(&third[0]).expect("it was just compiled");
    fs::write(&third[0], &code[..code.len() / 2]).expect("it is the test's");
    let named = third[0].display().to_string();
    let (done, output) = router.rules(&["swap", "senml", &named]);
    assert!(
        !done && output.contains("truncated") && output.contains("keeps serving"),
        "{output}"
    );
    fs::write(&third[0], code).expect("it is the test's");
    fs::remove_file(&third[2]).expect("it was just signed");
    let (done, output) = router.rules(&["swap", "senml", &named]);
    assert!(
        !done && output.contains("a signature is required"),
        "{output}"
    );
    if gateway::is_for_routers() {
        let component = author.path().join("senml.wasm").display().to_string();
        let (done, output) = router.rules(&["swap", "senml", &component]);
        assert!(!done && output.contains("has no compiler"), "{output}");
    }
    router.until("(revision 1)");
    send(&router, &room);
    author.rule(&["sign", "--key", "ann.key", "senml.cwasm.rule.json"]);
    let (done, output) = router.rules(&["swap", "senml", &named]);
    assert!(done, "{output}");
    router.until("(revision 3)");
    send(&router, &room);
}
