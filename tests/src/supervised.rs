//! A program that ends with the test, however the test ends.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::places;

/// A running program under `clients/supervise.py`, which ends it when this process is gone.
#[derive(Debug)]
pub struct Supervised {
    supervisor: Child,
    stdin: Option<ChildStdin>,
    lines: Mutex<Receiver<String>>,
}

impl Supervised {
    /// Starts `program`; its standard error goes to the file `log`.
    pub fn start<S: AsRef<OsStr>>(
        program: &Path,
        arguments: &[S],
        folder: &Path,
        log: &Path,
    ) -> Self {
        let log_file =
            File::create(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let mut supervisor = Command::new(places::python())
            .arg(places::client_program("supervise.py"))
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let stdin = supervisor.stdin.take();
        let stdout = supervisor.stdout.take().expect("it was asked for");
        let (sender, lines) = mpsc::channel();
        // It reads on to the end even if nobody listens: a full pipe would stop the program.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            supervisor,
            stdin,
            lines: Mutex::new(lines),
        }
    }

    /// The program's process id.
    pub fn id(&self) -> u32 {
        let supervisor = self.supervisor.id();
        let file = format!("/proc/{supervisor}/task/{supervisor}/children");
        let children = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let id = children
            .split_whitespace()
            .next()
            .and_then(|id| id.parse().ok());
        id.expect("the program runs")
    }

    /// The next line of its standard output; none when it has ended or `limit` has passed.
    pub fn next_line(&self, limit: Duration) -> Option<String> {
        self.lines.lock().ok()?.recv_timeout(limit).ok()
    }

    /// The exit status if it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.supervisor
            .try_wait()
            .ok()
            .flatten()
            .and_then(|status| status.code())
    }

    /// Sends SIGTERM.
    pub fn terminate(&mut self) {
        self.send(b"terminate\n");
    }

    /// Sends SIGKILL.
    pub fn kill(&mut self) {
        self.send(b"kill\n");
    }

    fn send(&mut self, line: &[u8]) {
        if let Some(stdin) = &mut self.stdin {
            // An error means that it has ended by itself.
            let _ = stdin.write_all(line).and_then(|()| stdin.flush());
        }
    }

    /// Waits for its end; none when `limit` passes first.
    pub fn wait(&mut self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.supervisor.wait();
    }
}
