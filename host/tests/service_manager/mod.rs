//! The binary under a service manager.

mod activation;
mod disks;
mod late_dns;
mod notifying;
mod rereading;
mod watching;

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use coap::{self, Datagram, Message, MessageType, Token, code};
use rustix::process::{Pid, Signal, kill_process};

use crate::scratch;

/// No homeserver is there.
const NOWHERE: &str = "http://127.0.0.1:9";
/// Tests share two cores, and the first start compiles a rule.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service manager, as far as a gateway sees one.
struct Manager {
    folder: PathBuf,
    ears: UnixDatagram,
}

impl Manager {
    fn new(test: &str) -> Self {
        let folder = scratch::folder(test);
        let ears = UnixDatagram::bind(folder.join("notify")).expect("the folder is the test's");
        ears.set_read_timeout(Some(PATIENCE))
            .expect("it is not zero");
        Self { folder, ears }
    }

    /// A gateway that is to be started, with this homeserver.
    fn gateway(&self, homeserver: &str) -> Command {
        self.set_up(
            Command::new(env!("CARGO_BIN_EXE_comatrix-gateway")),
            homeserver,
        )
    }

    /// One that is handed `socket`, as the third of its descriptors.
    fn gateway_with(&self, socket: &UdpSocket, homeserver: &str) -> Command {
        let script = "export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\" 3<&0 0</dev/null";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_comatrix-gateway")]);
        let socket = socket.try_clone().expect("a socket has a second handle");
        let mut command = self.set_up(command, homeserver);
        command.stdin(Stdio::from(OwnedFd::from(socket)));
        command
    }

    fn set_up(&self, mut command: Command, homeserver: &str) -> Command {
        command.args([
            "--ip",
            "127.0.0.1",
            "--port",
            "0",
            "--homeserver",
            homeserver,
        ]);
        command.args(["--control-socket", "control.sock"]);
        self.at_home(command)
    }

    /// In its folder, heard by this manager.
    fn at_home(&self, mut command: Command) -> Command {
        command
            .current_dir(&self.folder)
            .env("NOTIFY_SOCKET", self.folder.join("notify"))
            .env("CACHE_DIRECTORY", self.folder.join("cache"))
            .env("STATE_DIRECTORY", self.folder.join("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// A gateway in a mount namespace of its own, after `preparation` there. It must be root's or a user's who may have
    /// namespaces.
    fn gateway_after(&self, preparation: &str, homeserver: &str) -> Command {
        let mut command = Command::new("unshare");
        let script = format!("{preparation}\nexec \"$@\"");
        command
            .args(["--mount", "--map-root-user", "sh", "-ec", &script, "sh"])
            .arg(env!("CARGO_BIN_EXE_comatrix-gateway"));
        self.set_up(command, homeserver)
    }

    fn hear(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self
            .ears
            .recv(&mut bytes)
            .expect("the gateway says something");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// Waits until it is ready; where it listens.
    fn hear_ready(&self) -> SocketAddr {
        let said = self.hear();
        said.strip_prefix("READY=1\nSTATUS=listening on coap://")
            .and_then(|address| address.trim_end().parse().ok())
            .unwrap_or_else(|| panic!("{said}"))
    }
}

/// A gateway that ends with the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{error}")))
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).expect("it is a process id");
        let process = Pid::from_raw(id).expect("it is not zero");
        kill_process(process, signal).expect("it runs");
    }

    /// Its exit status, and its log.
    fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        let mut err = self.0.stderr.take().expect("it is piped");
        std::io::Read::read_to_string(&mut err, &mut log).expect("it is text");
        (self.0.wait().expect("it was started").code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A device at a port of its own, which sends each request once.
struct Device(UdpSocket);

impl Device {
    fn new(gateway: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.connect(gateway).expect("it is an address");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("it is not zero");
        Self(socket)
    }

    fn say(&self, message: Message) {
        self.say_as(7, message);
    }

    fn say_as(&self, message_id: u16, message: Message) {
        let bytes = coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id,
            token: Token::new(&[7]).expect("it is short"),
            message,
        });
        self.0.send(&bytes).expect("loopback takes it");
    }

    /// The code of the response.
    fn response_code(&self) -> u8 {
        self.message().code
    }

    /// The response; skips an empty acknowledgement before it, and rejects a ping, which proves the device's address.
    fn message(&self) -> Message {
        loop {
            let mut bytes = [0; 2048];
            let length = self.0.recv(&mut bytes).expect("a response comes");
            let datagram = coap::decode(&bytes[..length]);
            let datagram = datagram.unwrap_or_else(|error| panic!("{error}"));
            if datagram.message.code != code::EMPTY {
                return datagram.message;
            }
            if datagram.message_type == MessageType::Confirmable {
                let reset = Datagram::empty(MessageType::Reset, datagram.message_id);
                self.0
                    .send(&coap::encode(&reset))
                    .expect("loopback takes it");
            }
        }
    }
}
