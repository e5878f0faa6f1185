//! A gateway whose state outlives it, rooms that can go away, and devices on addresses of their own.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::device::{JSON, Request, Response};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::Scratch;
use comatrix_tests::rooms::Rooms;
use comatrix_tests::udp_device::UdpDevice;
use serde_json::{Value, json};

/// The room of most tests.
pub const ROOM: &str = "!room:localhost";
/// The access token of the configuration.
pub const TOKEN: &str = "configured-token";
/// For all that the gateway does by itself: its pauses in the first seconds of an outage are short.
pub const SOON: Duration = Duration::from_secs(30);

/// The gateway with its homeserver. Its port, state and runtime folders stay when it is started again.
pub struct Stage {
    /// The homeserver.
    pub rooms: Rooms,
    /// Files of the test, with the state folder in `state`.
    pub scratch: Scratch,
    /// None while it is stopped.
    gateway: Option<Gateway>,
    /// In memory, as systemd's are.
    runtime: PathBuf,
    port: u16,
    /// Of the gateways before.
    log: String,
}

/// A port that is free until the gateway is started again: below those that the system gives to other tests.
fn own_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let is_free = |port: &u16| UdpSocket::bind(("0.0.0.0", *port)).is_ok();
    let mut ports = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(is_free).expect("there are others")
}

impl Stage {
    /// Starts them; these lines are added to the configuration.
    pub fn new(configuration: &str) -> Self {
        let rooms = Rooms::start();
        let scratch = Scratch::new("outbox");
        let name = scratch.path().file_name().expect("it has a name");
        let runtime = PathBuf::from("/dev/shm").join(name);
        let mut stage = Self {
            rooms,
            scratch,
            gateway: None,
            runtime,
            port: own_port(),
            log: String::new(),
        };
        stage.set_token(TOKEN);
        stage.configure(configuration);
        stage.start();
        stage
    }

    /// Writes the configuration; a start or a reload applies it.
    pub fn configure(&self, configuration: &str) {
        let origin = &self.rooms.origin;
        let common = format!(
            "access_token_file = \"token\"\n{configuration}\n[[homeserver]]\nurl = \"{origin}\"\n"
        );
        let limits = match gateway::is_emulated() && !configuration.contains("[limits]") {
            true => gateway::EMULATED,
            false => "",
        };
        self.scratch
            .write("gateway.toml", &[&common, limits].concat());
    }

    /// Writes the access token of the configuration; a start or a reload applies it.
    pub fn set_token(&self, token: &str) {
        self.scratch.write("token", token);
    }

    /// Starts the gateway.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// Starts the gateway with these words after `env`: variables, or a program that starts it.
    pub fn start_with(&mut self, words: &[OsString]) {
        let configuration = self.scratch.path().join("gateway.toml");
        let runtime = OsString::from(format!("RUNTIME_DIRECTORY={}", self.runtime.display()));
        let arguments = [
            "--config".to_owned(),
            configuration.display().to_string(),
            "-i".to_owned(),
            // Devices have different addresses in 127.0.0.0/8.
            "0.0.0.0".to_owned(),
            "-p".to_owned(),
            self.port.to_string(),
        ];
        let runner = [&["env".into(), runtime], words].concat();
        let gateway = Gateway::start_under(&runner, self.scratch.path(), &arguments);
        self.port = gateway.address.port();
        self.gateway = Some(gateway);
    }

    /// The running gateway.
    pub fn gateway(&mut self) -> &mut Gateway {
        self.gateway.as_mut().expect("it runs")
    }

    /// Stops the gateway with SIGTERM.
    pub fn stop(&mut self) {
        let gateway = self.gateway();
        gateway.terminate();
        assert_eq!(gateway.wait(), Some(0));
        self.ended();
    }

    /// Ends the gateway with SIGKILL.
    pub fn kill(&mut self) {
        self.gateway().kill();
        self.ended();
    }

    fn ended(&mut self) {
        let gateway = self.gateway.take().expect("it ran");
        self.log += &gateway.log();
    }

    /// What all gateways of this stage have logged, once it contains `words` or a while has passed.
    pub fn log_until(&self, words: &str) -> String {
        let running = self.gateway.as_ref();
        let of_this = running.map(|gateway| gateway.log_until(words));
        [self.log.as_str(), &of_this.unwrap_or_default()].concat()
    }

    /// A device at 127.0.0.`host`.
    pub fn device(&self, host: u8) -> UdpDevice {
        let gateway: SocketAddr = ([127, 0, 0, 1], self.port).into();
        UdpDevice::at(IpAddr::from([127, 0, 0, host]), gateway)
    }

    /// The gateway's port, which stays.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `comatrix-gateway …` with this gateway's control socket: whether it succeeded, and its output.
    pub fn command(&self, words: &[&str]) -> (bool, String) {
        let socket = self.runtime.join("control.sock").display().to_string();
        let (first, rest) = words.split_first().expect("it has a name");
        let output = gateway::run(&[&[*first, "--control-socket", &socket], rest].concat());
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    }

    /// Reads the configuration again.
    pub fn reload(&self) {
        let (is_done, text) = self.command(&["rules", "reload"]);
        assert!(is_done, "{text}");
    }

    /// The status of a message, as the device at this address gets it, once it is not queued any more.
    pub fn outcome(&self, host: u8, id: &str) -> Value {
        let mut device = self.device(host);
        let mut last = Value::Null;
        until("the message ends", || {
            last = status(&mut device, id);
            last["state"] != "queued"
        });
        last
    }

    /// Waits until the room has exactly these texts, in this order.
    pub fn until_room_has(&self, room: &str, bodies: &[&str]) {
        until(&format!("{room} has {bodies:?}"), || {
            self.rooms.bodies_in(room).len() >= bodies.len()
        });
        assert_eq!(self.rooms.bodies_in(room), bodies);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.runtime);
    }
}

/// Waits for this, at most [`SOON`].
pub fn until(what: &str, is_so: impl FnMut() -> bool) {
    until_within(SOON, what, is_so);
}

/// Waits for this, so long at most.
pub fn until_within(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Says why a test, or a part of it, was not made.
#[allow(
    clippy::print_stderr,
    reason = "whoever runs the tests must know of it"
)]
pub fn skipped(reason: &str) {
    eprintln!("skipped: {reason}; run the tests as root");
}

/// A text for a room; the path has `<txn>` if there is one.
pub fn send(room: &str, txn: Option<&str>, body: &str) -> Request {
    let txn = txn.map(|txn| format!("/{txn}")).unwrap_or_default();
    let content = json!({ "msgtype": "m.text", "body": body }).to_string();
    Request::new("PUT", &format!("/send/{room}{txn}"))
        .bytes(content.as_bytes(), Some(JSON))
        .accept(JSON)
}

/// The id of a message that waits.
pub fn queued(response: &Response) -> String {
    assert_eq!(response.code, "2.04", "{response:?}");
    response.field("queued")
}

/// The response to `/sent/<id>` for this device.
pub fn status(device: &mut UdpDevice, id: &str) -> Value {
    let response = device.request(&Request::new("GET", &format!("/sent/{id}")).accept(JSON));
    assert_eq!(response.code, "2.05", "{}", response.text());
    let value = response.value.clone();
    value.unwrap_or_else(|| panic!("no JSON: {response:?}"))
}
