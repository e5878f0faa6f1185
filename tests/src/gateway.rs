//! The real gateway binary, as an operator starts it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::places::{self, Scratch};
use crate::supervised::Supervised;

/// Its first start compiles the rule; tests share two cores.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Above its own deadline for draining, 10 s.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// Lines leave their queue within milliseconds, unless the machine is busy.
const LOG_LIMIT: Duration = Duration::from_secs(10);

/// The binary that `COMATRIX_GATEWAY` names, else this workspace's, built now.
pub fn binary() -> PathBuf {
    std::env::var_os("COMATRIX_GATEWAY").map_or_else(full, PathBuf::from)
}

/// This workspace's binary, built now: one that compiles rules, also where the one under test does not.
pub fn full() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build).clone()
}

/// An emulator translates code that runs for the first time, and that counts as the rule's own CPU time.
pub const EMULATED: &str = "[limits]\nrule_call_ms = 5000\n";

/// Whether the binary runs under an emulator.
pub fn is_emulated() -> bool {
    std::env::var_os("COMATRIX_GATEWAY_RUNNER").is_some()
}

/// Whether the binary is a build for routers, as `cargo xtask dist --test` names them: one without a compiler of rules.
pub fn is_for_routers() -> bool {
    std::env::var_os("COMATRIX_GATEWAY_TARGET").is_some()
}

/// The processor that the binary is for, as `rule compile --target` expects it.
pub fn target() -> String {
    std::env::var("COMATRIX_GATEWAY_TARGET").unwrap_or_else(|_| std::env::consts::ARCH.to_owned())
}

/// The binary with these arguments. The program that `COMATRIX_GATEWAY_RUNNER` names runs one for another processor,
/// such as qemu-aarch64-static.
fn words<S: AsRef<OsStr>>(arguments: &[S]) -> Vec<OsString> {
    let runner = std::env::var_os("COMATRIX_GATEWAY_RUNNER");
    let arguments = arguments.iter().map(|word| word.as_ref().to_owned());
    let words = runner.into_iter().chain([binary().into_os_string()]);
    words.chain(arguments).collect()
}

/// The same selection of packages as `cargo xtask test` makes, so that it has nothing left to do.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(places::workspace())
        .args(["build", "--quiet", "--locked", "--workspace", "--bins"])
        .status()
        .expect("cargo starts");
    assert!(
        status.success(),
        "building the gateway ended with {status}; the compiler's messages stand above"
    );
    // This program is target/debug/deps/NAME or target/debug/NAME.
    let program = std::env::current_exe().expect("this program has a path");
    let built = program
        .ancestors()
        .map(|folder| folder.join("comatrix-gateway"))
        .find(|candidate| candidate.is_file());
    built.expect("cargo has just built it into this folder or the one above")
}

/// One cache of compiled code for all gateways of the tests: compiling takes seconds in a debug build.
pub fn cache_folder() -> PathBuf {
    let folder = places::workspace().join("target/end-to-end");
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder.join("compiled")
}

/// A running gateway; it ends with this value.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    process: Supervised,
    log: PathBuf,
    _scratch: Option<Scratch>,
}

impl Gateway {
    /// Starts one with these arguments and waits for its line `listening on coap://…`. A free port of the loopback
    /// address is added unless `-p` or `-i` are among the arguments.
    pub fn start<S: AsRef<str>>(arguments: &[S]) -> Self {
        let scratch = Scratch::new("gateway");
        let gateway = Self::start_at(scratch.path(), arguments);
        Self {
            _scratch: Some(scratch),
            ..gateway
        }
    }

    /// As [`Gateway::start`], with its log in `folder`, which must be there and stays.
    pub fn start_at<S: AsRef<str>>(folder: &Path, arguments: &[S]) -> Self {
        Self::start_under(&[], folder, arguments)
    }

    /// As [`Gateway::start_at`], by a program such as `env` with the gateway's command line after its own arguments.
    pub fn start_under<S: AsRef<str>>(runner: &[OsString], folder: &Path, arguments: &[S]) -> Self {
        let log = folder.join("gateway.log");
        let mut words: Vec<String> = arguments
            .iter()
            .map(|word| word.as_ref().to_owned())
            .collect();
        for (option, standard) in [("-i", "127.0.0.1"), ("-p", "0")] {
            if !words.iter().any(|word| word == option) {
                words.extend([option.to_owned(), standard.to_owned()]);
            }
        }
        if !words.iter().any(|word| word == "--cache-dir") {
            words.extend([
                "--cache-dir".to_owned(),
                cache_folder().display().to_string(),
            ]);
        }
        if !words.iter().any(|word| word == "--state-dir") {
            let state = folder.join("state").display().to_string();
            words.extend(["--state-dir".to_owned(), state]);
        }
        if is_emulated() && !words.iter().any(|word| word == "--config") {
            let file = folder.join("emulated.toml");
            fs::write(&file, EMULATED)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            words.extend(["--config".to_owned(), file.display().to_string()]);
        }
        let command = [runner, &self::words(&words)].concat();
        let process = Supervised::start(Path::new(&command[0]), &command[1..], folder, &log);
        let line = process.next_line(START_LIMIT);
        let address = line
            .as_deref()
            .and_then(|line| line.strip_prefix("listening on coap://"))
            .and_then(socket_address);
        let Some(address) = address else {
            let log = fs::read_to_string(&log).unwrap_or_default();
            panic!(
                "the gateway with {words:?} is not ready; it said {line:?}, and its log:\n{log}"
            );
        };
        Self {
            address,
            process,
            log,
            _scratch: None,
        }
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its log, once it contains `text` or a while has passed: a thread of its own writes it.
    pub fn log_until(&self, text: &str) -> String {
        let end = Instant::now() + LOG_LIMIT;
        loop {
            let log = self.log();
            if log.contains(text) || Instant::now() >= end {
                return log;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The file of its log.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Its resident memory (`VmRSS` of proc(5)), in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let file = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let kibibytes = status.lines().find_map(|line| {
            let value = line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?;
            value.parse::<u64>().ok()
        });
        kibibytes.expect("the kernel says it") << 10
    }

    /// Sends SIGTERM.
    pub fn terminate(&mut self) {
        self.process.terminate();
    }

    /// Ends it with SIGKILL: it writes nothing more and says nothing more. What the kernel has of it stays.
    pub fn kill(&mut self) {
        self.process.kill();
        assert_eq!(self.wait(), Some(128 + 9), "SIGKILL ends everything");
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for its end, at most a while longer than it may drain; returns its exit status.
    pub fn wait(&mut self) -> Option<i32> {
        self.process.wait(DRAIN_LIMIT)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }
}

/// The address as the gateway spells it. The unspecified address stands for every local one; tests use loopback.
fn socket_address(spelled: &str) -> Option<SocketAddr> {
    let authority = spelled.split_whitespace().next()?.trim_end_matches('/');
    let mut address: SocketAddr = authority.parse().ok()?;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    Some(address)
}

/// Runs the binary to its end: for `device` commands and for configurations that it must refuse.
pub fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    let words = words(arguments);
    Command::new(&words[0])
        .args(&words[1..])
        .output()
        .expect("the gateway's binary starts")
}
