//! An observation by aiocoap: a process that prints its notifications.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::aiocoap::{response_from, spelled};
use crate::device::{Request, Response};
use crate::places;

/// A running observer. It ends with this value, without a word to the gateway.
#[derive(Debug)]
pub struct Observer {
    process: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Observer {
    /// Observes the resource of `request`, a GET.
    pub fn start(gateway: SocketAddr, request: &Request) -> Self {
        Self::start_with(&format!("coap://{gateway}"), None, request)
    }

    /// As [`Observer::start`], at the gateway with this URI, with a file of credentials.
    pub fn start_with(gateway: &str, credentials: Option<&Path>, request: &Request) -> Self {
        let mut process = Command::new(places::python())
            .arg(places::client_program("aiocoap_observer.py"))
            .arg(spelled(gateway, request).to_string())
            .args(credentials)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().expect("it was asked for");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            process,
            stdin,
            lines,
        }
    }

    /// The next notification, the first response among them; none when `limit` passes or the observation has ended.
    pub fn next(&self, limit: Duration) -> Option<Response> {
        let line = self.lines.recv_timeout(limit).ok()?;
        let fields: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        response_from(&fields)
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}
