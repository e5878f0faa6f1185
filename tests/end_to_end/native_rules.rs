//! A rule as native code, from its author's desk to a gateway for routers: compiled and signed by the full gateway, copied, served,
//! replaced while it serves, and refused where it is not right. The gateway under test needs no compiler for any of it, and may be
//! for another processor.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::{Aiocoap, bytes};
use comatrix_tests::device::Request;
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::matrix::encoded;
use comatrix_tests::places::Scratch;

use crate::desk::Desk;
use crate::stage::{Room, synapse};

/// Content-Format of SenML in CBOR (RFC 8428 §12.1).
const SENML_CBOR: u16 = 112;
/// For what a gateway notices by itself; one that is interpreted takes its time.
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

impl Desk {
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
    fn start(desk: &Desk) -> Self {
        let folder = Scratch::new("router");
        desk.is_trusted_in(folder.path());
        copy(&desk.release("1"), folder.path());
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

    /// `comatrix-gateway rules …`: whether it succeeded, and what it said.
    fn rules(&self, arguments: &[&str]) -> (bool, String) {
        let socket = self.folder.path().join("control.sock");
        let socket = socket.display().to_string();
        let output = gateway::run(&[&["rules", "--control-socket", &socket], arguments].concat());
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    }

    /// What `rules list` says once it says this.
    fn until(&self, words: &str) -> String {
        let end = Instant::now() + SOON;
        loop {
            let (_, said) = self.rules(&["list"]);
            if said.contains(words) {
                return said;
            }
            assert!(Instant::now() < end, "{words:?}: {said}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// As `scp` and then `mv` would do it.
fn copy(files: &[PathBuf], folder: &Path) {
    for file in files.iter().rev() {
        let name = file.file_name().expect("it is a file").to_string_lossy();
        let coming = folder.join(format!("{name}.coming"));
        fs::copy(file, &coming).expect("both folders are the test's");
        fs::rename(&coming, folder.join(&*name)).expect("it was just copied");
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
    let answer = Aiocoap::start(router.gateway.address).request(&request);
    assert_eq!(answer.code, "2.04", "{}", answer.text());
    assert!(room.newest().contains("21.5"), "{}", room.newest());
}

#[test]
fn a_signed_native_rule_serves_is_replaced_and_what_is_not_right_changes_nothing() {
    let (desk, room) = (Desk::new(), Room::new());
    let router = Router::start(&desk);
    send(&router, &room);
    let list = router.until("(revision 1)");
    assert!(list.contains("signed by ann"), "{list}");

    // A file that takes another's place is noticed.
    let newer = desk.release("2");
    copy(&newer, router.folder.path());
    router.until("(revision 2)");
    send(&router, &room);
    let (done, said) = router.rules(&["rollback", "senml"]);
    assert!(done && said.contains("back to"), "{said}");
    router.until("(revision 1)");

    // What an operator names is checked like that.
    let third = desk.release("3");
    let code = fs::read(&third[0]).expect("it was just compiled");
    fs::write(&third[0], &code[..code.len() / 2]).expect("it is the test's");
    let named = third[0].display().to_string();
    let (done, said) = router.rules(&["swap", "senml", &named]);
    assert!(
        !done && said.contains("truncated") && said.contains("keeps serving"),
        "{said}"
    );
    fs::write(&third[0], code).expect("it is the test's");
    fs::remove_file(&third[2]).expect("it was just signed");
    let (done, said) = router.rules(&["swap", "senml", &named]);
    assert!(!done && said.contains("a signature is required"), "{said}");
    if gateway::is_for_routers() {
        let component = desk.path().join("senml.wasm").display().to_string();
        let (done, said) = router.rules(&["swap", "senml", &component]);
        assert!(!done && said.contains("has no compiler"), "{said}");
    }
    router.until("(revision 1)");
    send(&router, &room);
    desk.rule(&["sign", "--key", "ann.key", "senml.cwasm.rule.json"]);
    let (done, said) = router.rules(&["swap", "senml", &named]);
    assert!(done, "{said}");
    router.until("(revision 3)");
    send(&router, &room);
}
