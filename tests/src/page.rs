//! A gateway's status page, requested with plain HTTP/1.1 bytes, also with requests that no browser would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::gateway::Gateway;

/// The gateway says where its page is before it says that it listens, but its log is written by another thread.
const LOG_LIMIT: Duration = Duration::from_secs(10);
/// No response takes this long.
const RESPONSE_LIMIT: Duration = Duration::from_secs(30);

/// Where a status page is.
#[derive(Debug, Clone)]
pub enum Page {
    /// At an address and port.
    Loopback(SocketAddr),
    /// At a socket.
    Socket(PathBuf),
}

/// An HTTP response.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(present, _)| present == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Page {
    /// A gateway with these arguments and a page, on a port of its own.
    pub fn start(arguments: &[&str]) -> (Gateway, Self) {
        let gateway = Gateway::start(&[arguments, &["--admin", "127.0.0.1:0"]].concat());
        let page = Self::of(&gateway);
        (gateway, page)
    }

    /// The one of a gateway that was started with `--admin 127.0.0.1:0`.
    pub fn of(gateway: &Gateway) -> Self {
        let started = Instant::now();
        loop {
            let log = gateway.log();
            let address = log
                .split("the status page is at http://")
                .nth(1)
                .and_then(|rest| rest.split('/').next())
                .and_then(|address| address.parse().ok());
            match address {
                Some(address) => return Self::Loopback(address),
                None if started.elapsed() > LOG_LIMIT => panic!("no status page:\n{log}"),
                None => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Its URL, for a browser.
    pub fn url(&self) -> String {
        match self {
            Self::Loopback(address) => format!("http://{address}/"),
            Self::Socket(path) => panic!("no browser reaches {}", path.display()),
        }
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[("Host", "localhost")], "")
    }

    /// The JSON that the page is made from.
    pub fn status(&self) -> Value {
        let response = self.get("/status.json");
        serde_json::from_str(&response.body).unwrap_or_else(|error| panic!("{error}: {response:?}"))
    }

    /// Sends a form of the page.
    pub fn post(&self, path: &str, host: &str, form: &str) -> Response {
        let headers = [
            ("Host", host),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.send("POST", path, &headers, form)
    }

    /// Sends a request with these headers.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        read(&self.exchange(&request))
    }

    /// Sends these bytes, and returns all bytes that come back until the end.
    pub fn exchange(&self, request: &str) -> String {
        let response = match self {
            Self::Loopback(address) => TcpStream::connect(address).and_then(|stream| {
                stream.set_read_timeout(Some(RESPONSE_LIMIT))?;
                talk(stream, request)
            }),
            Self::Socket(path) => UnixStream::connect(path).and_then(|stream| {
                stream.set_read_timeout(Some(RESPONSE_LIMIT))?;
                talk(stream, request)
            }),
        };
        response.unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

fn talk(mut stream: impl Read + Write, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}

fn read(response: &str) -> Response {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Response {
        status: status
            .and_then(|status| status.parse().ok())
            .unwrap_or_default(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}
