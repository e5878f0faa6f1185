//! matrix-nio as a device: a Matrix client library whose HTTP is replaced by CoAP and CBOR (MSC3079), or by curl.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::places;

/// The tables of the proposal: path codes and CBOR keys.
pub fn tables() -> PathBuf {
    places::workspace().join("guest/msc3079/tables")
}

/// A running client of one account: one call at a time.
#[derive(Debug)]
pub struct Nio {
    process: Child,
    calls: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub struct Answer {
    /// nio's class, as `RoomSendResponse` or `RoomSendError`.
    pub response: String,
    /// The HTTP status, or what the CoAP code stands for.
    pub status: u16,
    /// The body's media type.
    pub content_type: String,
    /// The Retry-After that the status came with, in seconds.
    pub retry_after: Option<u64>,
    /// The body, where it is JSON.
    pub body: Value,
    /// The body, where it is none.
    pub bytes: Vec<u8>,
    /// Bytes of HTTP both ways, as curl counts them; 0 over CoAP.
    pub http_bytes: usize,
    /// The rooms that the client knows now.
    pub rooms: Vec<String>,
}

impl Nio {
    /// A client of the gateway at `uri`, `coap://…` or `coaps://…`, with a file of aiocoap's credentials.
    pub fn over_coap(user: &str, uri: &str, credentials: Option<&Path>) -> Self {
        let tables = tables().display().to_string();
        let credentials = credentials.map(|file| file.display().to_string());
        let mut words = vec![user, "coap", uri, &tables];
        words.extend(credentials.as_deref());
        Self::start(&words)
    }

    /// A client of the homeserver itself, by curl.
    pub fn by_curl(user: &str, origin: &str, compressed: bool) -> Self {
        let way = if compressed { "curl-gzip" } else { "curl" };
        Self::start(&[user, way, origin])
    }

    fn start(words: &[&str]) -> Self {
        // It ends when its standard input does.
        let mut process = Command::new(places::python())
            .arg(places::client_program("nio_client.py"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let calls = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it was asked for"));
        Self {
            process,
            calls,
            answers,
        }
    }

    /// Calls a method of nio's client; it must not raise an exception.
    #[track_caller]
    pub fn call(&mut self, name: &str, arguments: Value) -> Answer {
        self.try_call(name, arguments)
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// As [`Nio::call`]; the class of its answer must be `response`.
    #[track_caller]
    pub fn expect(&mut self, name: &str, arguments: Value, response: &str) -> Answer {
        let answer = self.call(name, arguments);
        assert_eq!(answer.response, response, "{name}: {answer:?}");
        answer
    }

    /// Calls a method; the error is the exception.
    pub fn try_call(&mut self, name: &str, arguments: Value) -> Result<Answer, String> {
        let line = json!({ "call": name, "arguments": arguments }).to_string();
        let calls = self.calls.as_mut().expect("it is there until the end");
        writeln!(calls, "{line}")
            .and_then(|()| calls.flush())
            .expect("the client runs");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the client runs");
        let fields: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        match fields["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer(&fields)),
        }
    }
}

fn answer(fields: &Value) -> Answer {
    let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| fields[name].as_u64().unwrap_or_default();
    let rooms = fields["rooms"].as_array().into_iter().flatten();
    let retry_after = fields["headers"]["Retry-After"].as_str();
    Answer {
        response: text("response"),
        status: number("status") as u16,
        content_type: text("content_type"),
        retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
        body: fields["body"].clone(),
        bytes: crate::aiocoap::bytes(&text("hex")),
        http_bytes: number("bytes") as usize,
        rooms: rooms
            .filter_map(|room| room.as_str().map(str::to_owned))
            .collect(),
    }
}

impl Drop for Nio {
    fn drop(&mut self) {
        drop(self.calls.take());
        let _ = self.process.wait();
    }
}
