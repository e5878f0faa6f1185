//! SIGHUP and `rules reload`: the configuration is read again, whole or not at all.

use std::fs;
use std::process::Command;

use coap::{Message, code};
use rustix::process::Signal;

use super::{Device, Manager, NOWHERE, Running};
use crate::exchange::request;
use crate::stub::{Reaction, Stub};

/// The start of every configuration here.
pub(super) const PLACES: &str = "ip = \"127.0.0.1\"\nport = 0\ncontrol_socket = \"control.sock\"\n";

impl Manager {
    /// A gateway that has everything from its file.
    pub(super) fn configured(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"));
        command.args(["--config", "gateway.toml"]);
        self.at_home(command)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.join(name), content).expect("the folder is the test's");
    }

    /// `comatrix-gateway rules …`: exit status and output.
    pub(super) fn rules(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"))
            .args(["rules", "--control-socket", "control.sock"])
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .unwrap_or_else(|error| panic!("{error}"));
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap_or_else(|error| panic!("{error}"));
        (output.status.code(), said)
    }

    pub(super) fn reload(&self) -> (Option<i32>, String) {
        self.rules(&["reload"])
    }

    /// The status that it hears after a reload.
    fn hear_reloaded(&self) -> String {
        let said = self.hear();
        assert!(said.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{said}");
        let said = self.hear();
        let status = said.strip_prefix("READY=1\nSTATUS=");
        status
            .unwrap_or_else(|| panic!("{said}"))
            .trim_end()
            .to_owned()
    }
}

impl Device {
    fn ask(&self, message_id: u16, message: Message) -> u8 {
        self.say_as(message_id, message);
        self.response_code()
    }
}

fn homeserver() -> Stub {
    Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()))
}

/// A message to the room that the configuration calls `kitchen`.
fn send() -> Message {
    crate::exchange::send_to("send/kitchen")
}

#[test]
fn sighup_applies_homeservers_tokens_rooms_and_disabled_resources() {
    let manager = Manager::new("rereading-whole");
    let (first, second) = (homeserver(), homeserver());
    let configuration = |stub: &Stub, room: &str, more: &str| {
        let url = stub.url();
        format!(
            "{PLACES}access_token_file = \"token\"\n{more}\n[[homeserver]]\nurl = \"{url}\"\n[rooms]\nkitchen = \
             \"{room}\"\n"
        )
    };
    manager.write("token", "one");
    manager.write("gateway.toml", configuration(&first, "!old:h", ""));
    let gateway = Running::start(&mut manager.configured());
    let address = manager.hear_ready();
    let device = Device::new(address);
    assert_eq!(device.ask(1, send()), code::CHANGED);
    assert_eq!(first.only().header("authorization"), Some("Bearer one"));

    manager.write("token", "two");
    let more = "disabled_resources = [\"/time\"]\nlog_level = \"error\"";
    manager.write("gateway.toml", configuration(&second, "!new:h", more));
    gateway.signal(Signal::HUP);
    let status = manager.hear_reloaded();
    assert_eq!(status, format!("listening on coap://{address}"));
    assert_eq!(device.ask(2, send()), code::CHANGED);
    let received = second.only();
    assert_eq!(received.header("authorization"), Some("Bearer two"));
    assert!(received.target.contains("!new:h"), "{}", received.target);
    assert_eq!(device.ask(3, request(code::GET, "time")), code::NOT_FOUND);
    assert_eq!(first.connections(), 1);
    gateway.signal(Signal::TERM);
    let (_, log) = gateway.end();
    assert!(log.contains("path=/send/kitchen"), "{log}");
    assert!(
        !log.contains("path=/time"),
        "its level is error by then: {log}"
    );
}

#[test]
fn a_faulty_configuration_is_refused_in_one_line_that_names_file_setting_and_remedy() {
    let manager = Manager::new("rereading-bad");
    let good = format!("{PLACES}[[homeserver]]\nurl = \"{NOWHERE}\"\n");
    manager.write("gateway.toml", &good);
    let _gateway = Running::start(&mut manager.configured());
    let device = Device::new(manager.hear_ready());
    let with = |line: &str| format!("{line}\n{good}");
    let instead = |of: &str, line: &str| good.replace(of, line);
    let cases = [
        ("no TOML", "port =".to_owned(), &["line 1", "README"][..]),
        (
            "a setting that is none",
            with("prot = 1"),
            &["prot", "line 1"],
        ),
        (
            "a bound",
            with("limits = { polls = 100000 }"),
            &["[limits] polls = 100000", "use 0 to"],
        ),
        (
            "a token",
            with("access_token_file = \"none\""),
            &["access token", "none", "write the token"],
        ),
        (
            "certificates",
            with("ca_file = \"none.pem\""),
            &["none.pem", "give a PEM file"],
        ),
        (
            "a rule",
            format!("{good}[[rule]]\nname = \"a\"\ncomponent = \"none.wasm\"\n"),
            &["rule a", "none.wasm", "check the path"],
        ),
        (
            "the port",
            instead("port = 0", "port = 5699"),
            &[
                "port was 0 when the gateway started",
                "restart it",
                "restart it",
            ],
        ),
        (
            "the address",
            instead("127.0.0.1", "127.0.0.2"),
            &[
                "ip was 127.0.0.1",
                "cannot change while it runs",
                "restart it",
            ],
        ),
        (
            "the cache",
            with("cache_dir = \"other\""),
            &["cache_dir was ", "restart it"],
        ),
        (
            "the control socket",
            instead("control.sock", "other.sock"),
            &["control_socket was control.sock", "restart it"],
        ),
    ];
    for (message_id, (what, text, parts)) in (1..).zip(cases) {
        manager.write("gateway.toml", &text);
        let (code, said) = manager.reload();
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{what}: {said}");
        let status = manager.hear_reloaded();
        assert!(status.contains("not applied"), "{what}: {status}");
        for part in parts
            .iter()
            .chain(&["gateway.toml", "the old configuration keeps serving"])
        {
            assert!(said.contains(part), "{what}: {part:?} is not in {said}");
        }
        assert_eq!(
            device.ask(message_id, request(code::GET, "time")),
            code::CONTENT,
            "{what}"
        );
    }
    fs::remove_file(manager.folder.join("gateway.toml")).expect("it is there");
    let (code, said) = manager.reload();
    assert!(code == Some(1) && said.contains("cannot read"), "{said}");
    manager.hear_reloaded();
    manager.write("gateway.toml", &good);
    let (code, said) = manager.reload();
    assert!(code == Some(0) && said.contains(" applied (in"), "{said}");
    assert!(manager.hear_reloaded().starts_with("listening on coap://"));
}
