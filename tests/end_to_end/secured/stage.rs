//! A gateway with a device that its operator has enrolled, the wire between both, and the device's account.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coap_lite::{CoapOption, MessageClass, Packet};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::Scratch;
use comatrix_tests::wire::{Loss, Passing, Sender, Wire};
use serde_json::{Value, json};

use crate::stage::{Room, synapse};

/// One datagram in five.
pub const LOSSY: Loss = Loss {
    percent: 20,
    seed: 7,
};

/// Above the retransmissions of a handshake and of a message of which every copy but the last is lost.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// A text of several blocks of 64 bytes.
pub fn long_text(from: &str) -> String {
    format!("{from}, in blocks: ") + &"0123456789".repeat(30)
}

/// See the file.
pub struct Stage {
    pub room: Room,
    pub wire: Wire,
    pub scratch: Scratch,
    gateway: Gateway,
    /// What `devices add` printed for programs.
    pub enrolment: Value,
}

impl Stage {
    /// Enrols the device `kitchen` by this method.
    pub fn start(method: &str, loss: Loss) -> Self {
        Self::before(&synapse().origin, method, loss, "")
    }

    /// As [`Stage::start`], before this homeserver and with this configuration.
    pub fn before(origin: &str, method: &str, loss: Loss, configuration: &str) -> Self {
        Self::enrol(origin, |_| vec![method.to_owned()], loss, configuration)
    }

    /// As [`Stage::start`], with these options, which may come from files that are made in the folder.
    pub fn start_with(options: impl FnOnce(&Path) -> Vec<String>, loss: Loss) -> Self {
        Self::enrol(&synapse().origin, options, loss, "")
    }

    fn enrol(
        origin: &str,
        options: impl FnOnce(&Path) -> Vec<String>,
        loss: Loss,
        configuration: &str,
    ) -> Self {
        let scratch = Scratch::new("secured");
        let file = |name: &str| scratch.path().join(name).display().to_string();
        let socket = file("control.sock");
        let config = scratch.write("gateway.toml", configuration);
        let config = config.display().to_string();
        let gateway = Gateway::start_at(
            scratch.path(),
            &[
                "--homeserver",
                origin,
                "--control-socket",
                &socket,
                "--coaps",
                "127.0.0.1:0",
                "--config",
                &config,
            ],
        );
        let words = ["devices", "--control-socket", &socket];
        let options = options(scratch.path());
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let add = [&words[..], &["add", "kitchen", "--json"], &options];
        let added = gateway::run(&add.concat());
        assert!(added.status.success(), "{added:?}");
        let enrolment: Value = serde_json::from_slice(&added.stdout).expect("JSON was asked for");
        let port = enrolment["psk"]["port"]["Ok"].as_u64();
        let mut address = gateway.address;
        if let Some(port) = port {
            address.set_port(u16::try_from(port).expect("it is a port"));
        }
        Self {
            room: Room::new(),
            wire: Wire::to(address, loss),
            scratch,
            gateway,
            enrolment,
        }
    }

    /// Where the device reaches the gateway.
    pub fn address(&self) -> SocketAddr {
        self.wire.address
    }

    /// The pre-shared key.
    pub fn key(&self) -> &str {
        self.enrolment["psk"]["key"].as_str().expect("it is one")
    }

    /// A part of the security context, in hexadecimal digits.
    pub fn context(&self, part: &str) -> &str {
        self.enrolment["oscore"][part].as_str().expect("it is one")
    }

    /// aiocoap's credentials for `coaps`.
    pub fn credentials_with_key(&self) -> PathBuf {
        let psk =
            json!({ "psk": { "ascii": self.key() }, "client-identity": { "ascii": "kitchen" } });
        self.credentials(
            &format!("coaps://{}/*", self.address()),
            json!({ "dtls": psk }),
        )
    }

    /// aiocoap's credentials for OSCORE, with a folder of its own for the sequence numbers.
    pub fn credentials_with_context(&self) -> PathBuf {
        let folder = self.scratch.path().join("context");
        std::fs::create_dir_all(&folder).expect("the folder is the test's");
        let settings = json!({
            "sender-id_hex": self.context("sender_id"), "recipient-id_hex": self.context("recipient_id"),
            "secret_hex": self.context("secret"), "salt_hex": self.context("salt"),
        });
        std::fs::write(folder.join("settings.json"), settings.to_string()).expect("it is writable");
        let basedir = format!("{}/", folder.display());
        let context = json!({ "oscore": { "basedir": basedir } });
        self.credentials(&format!("coap://{}/*", self.address()), context)
    }

    /// aiocoap's credentials for EDHOC, with the key that it has made.
    pub fn credentials_with_key_pair(&self) -> PathBuf {
        let of = |side: &str| &self.enrolment["edhoc"][side]["diagnostic"];
        let [own, peer] = ["device", "gateway"].map(|side| of(side).as_str().expect("it is one"));
        let key = self.scratch.path().join("kitchen.cosekey");
        let text = format!(
            "{{\"coap://{}/*\": {{\"edhoc-oscore\": {{\"suite\": 2, \"method\": 3, \"own_cred_style\": \
             \"by-key-id\", \"own_cred\": {{14: {own}}}, \"private_key_file\": \"{}\", \"peer_cred\": \
             {{14: {peer}}}}}}}}}",
            self.address(),
            key.display()
        );
        self.scratch.write("credentials.diag", &text)
    }

    fn credentials(&self, uris: &str, of: Value) -> PathBuf {
        let text = json!({ uris: of }).to_string();
        self.scratch.write("credentials.json", &text)
    }

    /// Waits for a text in the room: on a busy machine the gateway sends it after its response.
    #[track_caller]
    pub fn assert_arrived_once(&self, body: &str) {
        let end = Instant::now() + PATIENCE;
        let copies = || {
            let messages = self.room.person.messages(&self.room.room_id);
            let is_copy = |message: &&Value| message["body"] == json!(body);
            messages.iter().filter(is_copy).count()
        };
        while copies() == 0 {
            assert!(Instant::now() < end, "it never arrives");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(copies(), 1);
    }

    /// All that the device has said is protected by OSCORE, but empty messages; and nobody on the way has read `text`.
    #[track_caller]
    pub fn assert_protected(&self, text: &str) {
        let said = self.wire.sent_by(Sender::Device);
        let has_code = |message: &&Packet| message.header.code != MessageClass::Empty;
        let requests: Vec<_> = said.iter().filter(has_code).collect();
        assert!(!requests.is_empty(), "{said:?}");
        for request in requests {
            assert!(
                request.get_option(CoapOption::Oscore).is_some(),
                "{request:?}"
            );
        }
        let readable = |passing: &Passing| {
            let mut windows = passing.bytes.windows(text.len());
            windows.any(|window| window == text.as_bytes())
        };
        assert!(
            !self.wire.passing().iter().any(readable),
            "{text:?} was readable"
        );
    }

    /// The log, once the device is named in a line of this path.
    #[track_caller]
    pub fn assert_named(&self, path: &str) {
        let log = self.gateway.log_until("path=/getmsg");
        let mut lines = log.lines();
        let is_named = |line: &str| line.contains(path) && line.contains("principal=kitchen");
        assert!(lines.any(is_named), "{path}: {log}");
    }
}
