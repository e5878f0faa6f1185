//! The binary with rules of its own: files that are replaced, signals, and an operator's commands.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use coap::{self, Datagram, Message, MessageType, Token, code};

use crate::exchange::request;
use crate::scratch;
use crate::stage::saying;

/// A gateway with the rule `a` from a file, and its control socket.
pub struct Running {
    pub folder: PathBuf,
    gateway: Child,
    /// Connected to it.
    pub client: UdpSocket,
    message_id: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}

impl Running {
    pub fn start(test: &str, component: &[u8]) -> Self {
        Self::start_with(test, component, "control.sock")
    }

    fn start_with(test: &str, component: &[u8], socket: &str) -> Self {
        let folder = scratch::folder(test);
        let configuration = "[[rule]]\nname = \"a\"\ncomponent = \"a.wasm\"\n\
            allow = [\"GET none standard /needed\"]\n";
        fs::write(folder.join("gateway.toml"), configuration).expect("the folder is the test's");
        fs::write(folder.join("a.wasm"), component).expect("the folder is the test's");
        Self::launch(
            folder,
            &["--control-socket", socket, "--state-dir", "state"],
        )
    }

    /// A gateway with `gateway.toml` in this folder, which is also its working folder.
    pub fn launch(folder: PathBuf, args: &[&str]) -> Self {
        let gateway = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"));
        Self::spawn(folder, gateway, "127.0.0.1", args)
    }

    /// The same at another loopback address.
    pub fn launch_at(folder: PathBuf, address: &str, args: &[&str]) -> Self {
        let gateway = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"));
        Self::spawn(folder, gateway, address, args)
    }

    /// The same, in a mount namespace of its own, after `preparation` there.
    pub fn launch_after(preparation: &str, folder: PathBuf, args: &[&str]) -> Self {
        let mut gateway = Command::new("unshare");
        let script = format!("{preparation}\nexec \"$@\"");
        gateway
            .args(["--mount", "--map-root-user", "sh", "-ec", &script, "sh"])
            .arg(env!("CARGO_BIN_EXE_comatrix-gateway"));
        Self::spawn(folder, gateway, "127.0.0.1", args)
    }

    fn spawn(folder: PathBuf, mut gateway: Command, address: &str, args: &[&str]) -> Self {
        let mut gateway = gateway
            .args(["--ip", address, "--port", "0"])
            .args(["--config", "gateway.toml", "--cache-dir", "cache"])
            .args(args)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}"));
        let mut line = String::new();
        let out = gateway.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("it speaks");
        let address: SocketAddr = line
            .trim()
            .strip_prefix("listening on coap://")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("{line}"));
        let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        client.connect(address).expect("it is an address");
        client
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("it is not zero");
        Self {
            folder,
            gateway,
            client,
            message_id: 0,
        }
    }

    fn get(&mut self, path: &str) -> Message {
        self.exchange(request(code::GET, path))
    }

    /// Sends a request, and waits for the response.
    pub fn exchange(&mut self, message: Message) -> Message {
        self.message_id += 1;
        let bytes = coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(&[1]).expect("it is short"),
            message,
        });
        self.client.send(&bytes).expect("it is sent");
        let mut buffer = [0; 2048];
        let length = self.client.recv(&mut buffer).expect("a response comes");
        coap::decode(&buffer[..length])
            .unwrap_or_else(|error| panic!("{error}"))
            .message
    }

    fn test(&mut self) -> String {
        String::from_utf8_lossy(&self.get("a/test").payload).into_owned()
    }

    /// How long it takes until the rule says this.
    fn until(&mut self, text: &str) -> Duration {
        let began = Instant::now();
        while self.test() != text {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it never says {text}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }

    /// `comatrix-gateway rules …`: exit code and output.
    pub fn rules(&self, args: &[&str]) -> (i32, String) {
        rules(&self.folder, args)
    }

    /// `comatrix-gateway outbox …`, likewise.
    pub fn outbox(&self, args: &[&str]) -> (i32, String) {
        let to = ["outbox", "--control-socket", "control.sock"];
        command(&self.folder, &[&to, args].concat())
    }

    /// Asks it to end, and gives its log.
    pub fn log(mut self) -> String {
        self.signal(Signal::TERM);
        let mut log = String::new();
        let mut err = self.gateway.stderr.take().expect("it is piped");
        err.read_to_string(&mut log).expect("it is text");
        log
    }

    /// Its own view of a file in its folder.
    pub fn own_view(&self, file: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.gateway.id()));
        let folder = self.folder.strip_prefix("/").expect("it is absolute");
        root.join(folder).join(file)
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.gateway.id()).expect("it is a process id");
        let process = Pid::from_raw(id).expect("it is not zero");
        kill_process(process, signal).expect("it runs");
    }

    fn rename_over(&self, component: &[u8]) {
        let new = self.folder.join("a.wasm.new");
        fs::write(&new, component).expect("the folder is the test's");
        fs::rename(&new, self.folder.join("a.wasm")).expect("the folder is the test's");
    }
}

fn rules(folder: &Path, args: &[&str]) -> (i32, String) {
    let to = ["rules", "--control-socket", "control.sock"];
    command(folder, &[&to, args].concat())
}

/// A command in a gateway's folder: exit code and output.
pub fn command(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap_or_else(|error| panic!("{error}"));
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn a_file_that_takes_the_place_of_a_rules_serves_soon_and_a_bad_one_never() {
    let mut running = Running::start("running-replaced", &saying("one"));
    assert_eq!(running.test(), "one");
    running.rename_over(&saying("two"));
    // Noticed within 200 ms; compiling takes its time beside other tests.
    running.until("two");
    running.rename_over(b"not a component");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(running.test(), "two");
    let (code, said) = running.rules(&["list"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("last failure: compile:"), "{said}");
    let log = running.log();
    let line = log.lines().find(|line| line.contains("not replaced"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains("rule a not replaced") && line.contains("rule build"),
        "{line}"
    );
}

#[test]
fn a_reload_tries_a_refused_file_again_and_the_list_drops_a_failure_that_is_mended() {
    let mut running = Running::start("running-refused", &saying("one"));
    running.rename_over(b"not a component");
    let shows = |running: &Running, shown: bool| {
        let began = Instant::now();
        while running.rules(&["list"]).1.contains("last failure: ") != shown {
            assert!(began.elapsed() < Duration::from_secs(20), "{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    shows(&running, true);
    let (code, said) = running.rules(&["reload"]);
    assert!(
        code == 1 && said.contains("not applied") && said.contains("compile:"),
        "{said}"
    );
    assert_eq!(running.test(), "one");
    running.rename_over(&saying("one"));
    shows(&running, false);
    let (code, said) = running.rules(&["reload"]);
    assert_eq!(code, 0, "{said}");
    let log = running.log();
    let last = log.lines().rfind(|line| line.contains("rule a"));
    assert!(
        last.is_some_and(|line| line.contains("INFO") && line.contains("serves already")),
        "{log}"
    );
}

#[test]
fn a_file_that_is_written_in_place_is_not_looked_at_until_it_is_said_to_be_whole() {
    let mut running = Running::start("running-in-place", &saying("one"));
    fs::write(running.folder.join("a.wasm"), saying("two")).expect("the folder is the test's");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(running.test(), "one");
    running.signal(Signal::HUP);
    running.until("two");
}

#[test]
fn an_operator_lists_swaps_and_rolls_back() {
    let mut running = Running::start("running-commands", &saying("one"));
    fs::write(running.folder.join("b.wasm"), saying("two")).expect("the folder is the test's");
    let (code, said) = running.rules(&["swap", "a", "b.wasm"]);
    assert!(code == 0 && said.contains("serves, from"), "{said}");
    assert_eq!(running.test(), "two");
    let (code, said) = running.rules(&["list"]);
    assert_eq!(code, 0);
    for part in [
        "comatrix at /:",
        "a at /a:",
        "b.wasm, signed by nobody",
        "previous:",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let (code, said) = running.rules(&["list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((code, &list[1]["name"]), (0, &"a".into()));
    let (code, said) = running.rules(&["rollback", "a"]);
    assert!(code == 0 && said.contains("rolled back to"), "{said}");
    assert_eq!(running.test(), "one");
    for (args, code, remedy) in [
        (&["swap", "a", "nothing.wasm"][..], 1, "check the path"),
        (&["swap", "c", "b.wasm"], 1, "rules list"),
        (&["rollback", "comatrix"], 1, "no revision before this one"),
    ] {
        let (found, said) = running.rules(args);
        assert!(found == code && said.contains(remedy), "{args:?}: {said}");
    }
    assert_eq!(running.test(), "one");
}

#[test]
fn the_control_socket_is_for_the_gateways_own_user_and_a_dead_ones_is_taken_over() {
    let running = Running::start("running-socket", &saying("one"));
    let socket = running.folder.join("control.sock");
    let mode = fs::metadata(&socket)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // Killed: its socket stays behind.
    let folder = running.folder.clone();
    drop(running);
    assert!(socket.exists());
    let (code, said) = rules(&folder, &["list"]);
    assert!(code == 2 && said.contains("is it running"), "{said}");
    let dead = socket.display().to_string();
    let again = Running::start_with("running-socket-2", &saying("one"), &dead);
    let (code, said) = rules(&folder, &["list"]);
    assert_eq!(code, 0, "{said}");
    // One that is not dead stays, and so does a file that is no socket.
    let second = Running::start_with("running-socket-3", &saying("one"), &dead).log();
    assert!(
        second.contains("another gateway") && second.contains("--control-socket"),
        "{second}"
    );
    let file = again.folder.join("a.wasm").display().to_string();
    let third = Running::start_with("running-socket-4", &saying("one"), &file).log();
    assert!(
        third.contains("no socket") && third.contains("--control-socket"),
        "{third}"
    );
    let (code, said) = rules(&folder, &["list"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_rule_that_cannot_serve_at_the_start_keeps_nobody_else_from_it() {
    let mut running = Running::start("running-bad-start", b"not a component");
    assert_eq!(running.get("a/test").code, code::NOT_FOUND);
    assert_eq!(running.get("time").code, code::CONTENT);
    let (_, said) = running.rules(&["list"]);
    assert!(
        said.contains("a at /a: out of service") && said.contains("compile:"),
        "{said}"
    );
    running.rename_over(&saying("mended"));
    running.until("mended");
}
