//! A gateway with `coaps`, its homeserver, and devices that its operator enrols.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use coap::{Datagram, Message, MessageType, code, option};
use serde_json::Value;

use crate::exchange::request;
use crate::running_gateway::{Running, command};
use crate::scratch;
use crate::stub::{Reaction, Received, Stub};

/// Both TLS libraries of libcoap.
const CLIENTS: [&str; 2] = ["coap-client-openssl", "coap-client-gnutls"];
/// A text of several blocks of 64 bytes.
pub const LONG: &str = "The kettle is on, and the window of the kitchen stands open since seven in the morning. \
    Somebody should close it before the rain comes, or the flour gets wet again.";

pub struct Stage {
    pub running: Running,
    pub stub: Stub,
    coaps_port: OnceLock<u64>,
}

/// A device as the operator has enrolled it.
pub struct Enrolled {
    pub name: String,
    pub key: String,
    pub port: u64,
}

fn homeserver(received: &Received) -> Reaction {
    if received.target.contains("/sync") && received.target.contains("since=") {
        // A long poll: nothing new.
        return Reaction::Silence;
    }
    let body = match received.target.split('?').next() {
        Some(path) if path.ends_with("/login") => {
            r#"{"user_id":"@kitchen:h","access_token":"syt_of_kitchen","device_id":"K"}"#.to_owned()
        }
        Some(path) if path.contains("/send/") => r#"{"event_id":"$e"}"#.to_owned(),
        Some(path) if path.ends_with("/messages") || path.ends_with("/sync") => {
            let event = serde_json::json!({
                "type": "m.room.message", "event_id": "$1", "sender": "@a:h", "origin_server_ts": 1,
                "content": {"msgtype": "m.text", "body": LONG},
            });
            let timeline =
                serde_json::json!({"events": [event], "limited": false, "prev_batch": "p"});
            let rooms = serde_json::json!({"join": {"!a:h": {"timeline": timeline}}});
            serde_json::json!({"next_batch": "n", "rooms": rooms, "chunk": [event]}).to_string()
        }
        _ => "{}".to_owned(),
    };
    Reaction::Json(200, body)
}

impl Stage {
    pub fn start(test: &str) -> Self {
        Self::start_with(test, "")
    }

    /// The same with this configuration.
    pub fn start_with(test: &str, configuration: &str) -> Self {
        Self::start_in(scratch::folder(test), configuration)
    }

    /// The same at all addresses of IPv4, not only the loopback one.
    pub fn start_open(test: &str) -> Self {
        let folder = scratch::folder(test);
        std::fs::write(folder.join("gateway.toml"), "").expect("the folder is the test's");
        let stub = Stub::start(homeserver);
        let url = stub.url().to_string();
        let args = [&["--homeserver", &url], &ARGS[..5], &["0.0.0.0:0"]].concat();
        Self {
            running: Running::launch_at(folder, "0.0.0.0", &args),
            stub,
            coaps_port: OnceLock::new(),
        }
    }

    /// The same in this folder.
    pub fn start_in(folder: PathBuf, configuration: &str) -> Self {
        Self::start_with_stub(Stub::start(homeserver), folder, configuration)
    }

    /// The same, before this homeserver.
    pub fn start_before(stub: Stub, test: &str, configuration: &str) -> Self {
        Self::start_with_stub(stub, scratch::folder(test), configuration)
    }

    /// The same in this folder.
    pub fn start_before_in(stub: Stub, folder: PathBuf, configuration: &str) -> Self {
        Self::start_with_stub(stub, folder, configuration)
    }

    /// The same in this folder, with the homeservers of its configuration file.
    pub fn start_configured(stub: Stub, folder: PathBuf, configuration: &str) -> Self {
        let file = folder.join("gateway.toml");
        std::fs::write(file, configuration).expect("the folder is the test's");
        let running = Running::launch(folder, &ARGS);
        Self {
            running,
            stub,
            coaps_port: OnceLock::new(),
        }
    }

    fn start_with_stub(stub: Stub, folder: PathBuf, configuration: &str) -> Self {
        let file = folder.join("gateway.toml");
        std::fs::write(file, configuration).expect("the folder is the test's");
        let running = launch(folder, &stub);
        Self {
            running,
            stub,
            coaps_port: OnceLock::new(),
        }
    }

    /// Ends the gateway, and starts another one in its folder.
    pub fn restart(self) -> (Self, String) {
        let folder = self.running.folder.clone();
        let log = self.running.log();
        let running = launch(folder, &self.stub);
        let next = Self {
            running,
            stub: self.stub,
            coaps_port: OnceLock::new(),
        };
        (next, log)
    }

    /// The port of `coaps`, which only an enrolment tells.
    pub fn coaps_port(&self) -> u64 {
        *self.coaps_port.get_or_init(|| {
            let port = self.enrol(&["add", "probe", "--psk"]).port;
            assert_eq!(self.devices(&["remove", "probe"]).0, 0);
            port
        })
    }

    /// Kills the gateway (SIGKILL), and starts another one in its folder.
    pub fn kill(self) -> Self {
        let folder = self.running.folder.clone();
        // SIGKILL: it stores nothing more.
        drop(self.running);
        let running = launch(folder, &self.stub);
        Self {
            running,
            stub: self.stub,
            coaps_port: OnceLock::new(),
        }
    }

    /// The same with the homeservers of the configuration file.
    pub fn restart_configured(self) -> Self {
        let folder = self.running.folder.clone();
        self.running.log();
        let running = Running::launch(folder, &ARGS);
        Self {
            running,
            stub: self.stub,
            coaps_port: OnceLock::new(),
        }
    }

    /// How many texts the homeserver has got.
    pub fn texts(&self) -> usize {
        let received = self.stub.received();
        received
            .iter()
            .filter(|one| one.target.contains("/send/"))
            .count()
    }

    pub fn devices(&self, args: &[&str]) -> (i32, String) {
        let to = ["devices", "--control-socket", "control.sock"];
        command(&self.running.folder, &[&to, args].concat())
    }

    pub fn enrol(&self, args: &[&str]) -> Enrolled {
        let (code, said) = self.devices(&[args, &["--json"]].concat());
        assert_eq!(code, 0, "{said}");
        let value: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        Enrolled {
            name: value["device"]["name"].as_str().expect("a name").to_owned(),
            key: value["psk"]["key"].as_str().expect("a key").to_owned(),
            port: value["psk"]["port"]["Ok"]
                .as_u64()
                .unwrap_or_else(|| panic!("{said}")),
        }
    }
}

/// Of each gateway.
const ARGS: [&str; 6] = [
    "--control-socket",
    "control.sock",
    "--state-dir",
    "state",
    "--coaps",
    "127.0.0.1:0",
];

fn launch(folder: PathBuf, stub: &Stub) -> Running {
    let url = stub.url().to_string();
    Running::launch(folder, &[&["--homeserver", &url], &ARGS[..]].concat())
}

impl Enrolled {
    /// Whether the device gets the time, in Unix seconds.
    pub fn tells_time(&self, client: &str) -> bool {
        let said = self.ask(client, "time", &[]);
        let mut lines = said.lines();
        lines.any(|line| {
            line.trim()
                .parse()
                .is_ok_and(|seconds: u64| seconds > 1_600_000_000)
        })
    }

    /// A request by this client: what it prints.
    pub fn ask(&self, client: &str, path: &str, args: &[&str]) -> String {
        let uri = format!("coaps://127.0.0.1:{}/{path}", self.port);
        let output = Command::new(client)
            .args(["-B", "5", "-u", &self.name, "-k", &self.key])
            .args(args)
            .arg(uri)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{client}: {error}; install libcoap3-bin"));
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// Those that are installed: `libcoap3-bin` has both.
pub fn clients() -> impl Iterator<Item = &'static str> {
    CLIENTS.into_iter().filter(|client| {
        let found = Command::new(client)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .status();
        found.is_ok()
    })
}

/// A text to a room, with the token of its account.
pub fn text_to_room(text: &str) -> Message {
    request(code::PUT, "send/!a:h")
        .with_uint_option(option::CONTENT_FORMAT, 0)
        .with_option(option::ACCESS_TOKEN, "syt_of_kitchen")
        .with_payload(text)
}

/// The next response that a device gets. What is confirmable is acknowledged; a ping, which proves its address, gets
/// its RST.
pub fn receive(socket: &UdpSocket) -> Message {
    receive_for(socket, &[])
}

/// The same for a device that repeats its request after a ping, as it would after `ACK_TIMEOUT`: the gateway says to an
/// address that it has reached what was too long for it before.
pub fn receive_for(socket: &UdpSocket, sent: &[u8]) -> Message {
    let mut buffer = [0; 2048];
    loop {
        let length = socket.recv(&mut buffer).expect("a response comes");
        let datagram = coap::decode(&buffer[..length]).expect("CoAP");
        if datagram.message_type == MessageType::Confirmable {
            let reply = match datagram.message.code {
                code::EMPTY => MessageType::Reset,
                _ => MessageType::Acknowledgement,
            };
            let reply = Datagram::empty(reply, datagram.message_id);
            socket.send(&coap::encode(&reply)).expect("it is sent");
            if datagram.message.code == code::EMPTY && !sent.is_empty() {
                socket.send(sent).expect("it is sent");
            }
        }
        if datagram.message.code != code::EMPTY {
            return datagram.message;
        }
    }
}
