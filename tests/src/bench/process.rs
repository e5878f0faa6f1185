//! Child processes of the bench: the gateway, and the bench itself in another role. Their figures from `/proc`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, sink};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Failure;

/// A server that has not announced itself by then will not.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The unit of `utime` and `stime` in `/proc/PID/stat` (proc(5)): 100 per second on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server; it ends with this value.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of its process to its announcement.
    pub ready_after: Duration,
    child: Child,
}

impl Server {
    /// Starts a command and waits for its line `listening on SCHEME://ADDRESS`.
    ///
    /// # Errors
    /// The program is not there, or it ends or stays silent instead of announcing itself.
    pub fn start(mut command: Command) -> Result<Self, Failure> {
        let program = command.get_program().to_string_lossy().into_owned();
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program} does not start: {error}"))?;
        let Some(stdout) = child.stdout.take() else {
            return Err("the child has no output".into());
        };
        let (announce, announced) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            let _ = stdout.read_line(&mut line);
            let _ = announce.send((Instant::now(), line));
            // A full pipe would stop the server.
            let _ = std::io::copy(&mut stdout.take(u64::MAX), &mut sink());
        });
        let outcome = announced.recv_timeout(START_LIMIT);
        let address = outcome.as_ref().ok().and_then(|(_, line)| {
            line.trim()
                .strip_prefix("listening on ")?
                .split_once("://")?
                .1
                .trim_end_matches('/')
                .parse()
                .ok()
        });
        match (outcome, address) {
            (Ok((at, _)), Some(address)) => Ok(Self {
                address,
                ready_after: at - started,
                child,
            }),
            (outcome, _) => {
                let _ = child.kill();
                let _ = child.wait();
                let line = outcome.map(|(_, line)| line).unwrap_or_default();
                Err(format!("{program} did not announce its address: it printed {line:?}").into())
            }
        }
    }

    /// This program in another role.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_self(arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments);
        Self::start(command)
    }

    /// CPU time of all its threads so far, in user and system mode.
    ///
    /// # Errors
    /// The process is gone.
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        let stat = self.proc("stat")?;
        // The second field, the name, may hold blanks; it ends with the last parenthesis.
        let fields = stat
            .rsplit_once(')')
            .map(|(_, fields)| fields)
            .unwrap_or_default();
        // Fields 14 and 15 of proc(5), counted from the third.
        let ticks: f64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum();
        Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
    }

    /// CPU time of the threads that it has now, to the nanosecond: for a process that does next to nothing.
    ///
    /// # Errors
    /// The process is gone.
    pub fn run_time(&self) -> Result<Duration, Failure> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        let mut nanoseconds = 0;
        for thread in threads {
            let schedule = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let ran = schedule.split_whitespace().next().unwrap_or_default();
            nanoseconds += ran.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// How often its threads have waited so far: each time one of them has to be woken again.
    ///
    /// # Errors
    /// The process is gone.
    pub fn waits(&self) -> Result<u64, Failure> {
        let mut waits = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let status = std::fs::read_to_string(thread?.path().join("status"))?;
            let mut lines = status.lines();
            let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            waits += count.unwrap_or_default().trim().parse::<u64>()?;
        }
        Ok(waits)
    }

    /// How many threads it has.
    ///
    /// # Errors
    /// The process is gone.
    pub fn threads(&self) -> Result<u64, Failure> {
        let status = self.proc("status")?;
        let mut lines = status.lines();
        let count = lines.find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok());
        count.ok_or_else(|| "/proc/PID/status has no Threads".into())
    }

    /// A memory figure in bytes: `VmRSS` (resident), `VmSize` (address space), `RssAnon` (resident, not of a file) or
    /// `VmHWM` (the largest `VmRSS` so far).
    ///
    /// # Errors
    /// The process is gone.
    pub fn memory(&self, figure: &str) -> Result<u64, Failure> {
        let status = self.proc("status")?;
        let kibibytes: Option<u64> = status
            .lines()
            .find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))
            .and_then(|value| value.trim().trim_end_matches("kB").trim().parse().ok());
        Ok(kibibytes.ok_or_else(|| format!("/proc/PID/status has no {figure}"))? << 10)
    }

    /// Bytes that it has caused to be written to disks so far, by proc(5): pages of the cache that it has made dirty.
    ///
    /// # Errors
    /// The process is gone.
    pub fn written(&self) -> Result<u64, Failure> {
        let io = self.proc("io")?;
        let mut lines = io.lines();
        let bytes = lines.find_map(|line| line.strip_prefix("write_bytes:")?.trim().parse().ok());
        bytes.ok_or_else(|| "/proc/PID/io has no write_bytes".into())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// The system's.
    pub fn stop(mut self) -> Result<(), Failure> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        self.child.wait()?;
        Ok(())
    }

    fn proc(&self, file: &str) -> Result<String, Failure> {
        Ok(std::fs::read_to_string(format!(
            "/proc/{}/{file}",
            self.child.id()
        ))?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The gateway's binary, and a folder for its cache of compiled code that ends with this value.
pub struct Gateway {
    binary: PathBuf,
    scratch: PathBuf,
}

impl Gateway {
    /// The binary beside this program, or the one that `COMATRIX_GATEWAY` names.
    ///
    /// # Errors
    /// There is none.
    pub fn find() -> Result<Self, Failure> {
        let binary = match std::env::var_os("COMATRIX_GATEWAY") {
            Some(path) => PathBuf::from(path),
            None => std::env::current_exe()?.with_file_name("comatrix-gateway"),
        };
        if !binary.is_file() {
            let path = binary.display();
            return Err(format!(
                "no gateway at {path}: run `cargo build --release -p comatrix-host` first"
            )
            .into());
        }
        Self::at(binary)
    }

    /// This binary.
    ///
    /// # Errors
    /// The system's: there is no folder for its cache.
    pub fn at(binary: PathBuf) -> Result<Self, Failure> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let scratch =
            std::env::temp_dir().join(format!("comatrix-bench-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        Ok(Self { binary, scratch })
    }

    /// Starts it on a free port of the loopback address, with warnings only in its log, as operators of busy
    /// gateways run it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start(&self, homeserver: &str) -> Result<Server, Failure> {
        self.start_with(homeserver, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with(&self, homeserver: &str, more: &[&OsStr]) -> Result<Server, Failure> {
        let mut command = self.command(homeserver);
        command.args(more);
        Server::start(command)
    }

    /// The command that [`start`](Self::start) runs.
    #[must_use]
    pub fn command(&self, homeserver: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(["-i", "127.0.0.1", "-p", "0", "--log-level", "warn"]);
        command.args(["--homeserver", homeserver]);
        command.arg("--cache-dir").arg(self.scratch.join("cache"));
        // By the environment: gateways of before the store are compared too. Each gateway has a folder of its own.
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        command.env(
            "STATE_DIRECTORY",
            self.scratch.join(format!("state-{number}")),
        );
        command
    }

    /// A folder that ends with this value.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// The gateway's binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}
