//! aiocoap as a device: the reference CoAP client, with CBOR by cbor2, neither of which shares code with the gateway.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::device::{Payload, Request, Response};
use crate::places;

/// Seconds; above the gateway's own deadline and the retransmissions of a busy machine.
const EXCHANGE_LIMIT: u32 = 60;

/// A running client: one UDP socket, one request at a time.
#[derive(Debug)]
pub struct Aiocoap {
    process: Child,
    requests: Option<ChildStdin>,
    responses: BufReader<ChildStdout>,
    gateway: String,
}

impl Aiocoap {
    /// Starts a client of the gateway at this address.
    pub fn start(gateway: SocketAddr) -> Self {
        Self::start_with(&format!("coap://{gateway}"), None)
    }

    /// As [`Aiocoap::start`], of the gateway at this URI, with a file of credentials.
    pub fn start_with(gateway: &str, credentials: Option<&Path>) -> Self {
        // It ends when its standard input does.
        let mut process = Command::new(places::python())
            .arg(places::client_program("aiocoap_client.py"))
            .args(credentials)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let requests = process.stdin.take();
        let responses = BufReader::new(process.stdout.take().expect("it was asked for"));
        Self {
            process,
            requests,
            responses,
            gateway: gateway.to_owned(),
        }
    }

    /// Makes an exchange.
    pub fn request(&mut self, request: &Request) -> Response {
        self.try_request(request)
            .unwrap_or_else(|error| panic!("{error} after {request:?}"))
    }

    /// Makes an exchange that may end without a response; the error is aiocoap's.
    pub fn try_request(&mut self, request: &Request) -> Result<Response, String> {
        let line = self.spelled(request).to_string();
        let requests = self
            .requests
            .as_mut()
            .expect("it is there until this value ends");
        writeln!(requests, "{line}")
            .and_then(|()| requests.flush())
            .expect("the client runs");
        let mut line = String::new();
        self.responses
            .read_line(&mut line)
            .expect("the client runs");
        let outcome: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        response_from(&outcome).ok_or_else(|| outcome["error"].as_str().unwrap_or(&line).to_owned())
    }

    fn spelled(&self, request: &Request) -> Value {
        spelled(&self.gateway, request)
    }
}

/// A request as the Python programs take it.
pub(crate) fn spelled(gateway: &str, request: &Request) -> Value {
    let options: Vec<_> = request
        .options
        .iter()
        .map(|(number, value)| json!([number, hex(value)]))
        .collect();
    let mut spelled = json!({
        "method": request.method,
        "uri": format!("{gateway}{}", request.path),
        "options": options,
        "content_format": request.content_format,
        "accept": request.accept,
        "non": request.non,
        "block_exponent": request.block.map(|block| block.ilog2() - 4),
        "timeout": EXCHANGE_LIMIT,
    });
    match &request.payload {
        Payload::Empty => {}
        Payload::Bytes(bytes) => spelled["payload"] = json!(hex(bytes)),
        Payload::Cbor(value) => spelled["cbor"] = value.clone(),
    }
    spelled
}

impl Drop for Aiocoap {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.process.wait();
    }
}

/// A response as the Python programs print it; none where there was an error.
pub(crate) fn response_from(fields: &Value) -> Option<Response> {
    let code = fields["code"].as_str()?.to_owned();
    let options = fields["options"].as_array()?.iter().filter_map(|option| {
        let number = u16::try_from(option[0].as_u64()?).ok()?;
        Some((number, bytes(option[1].as_str()?)))
    });
    let mut options: Vec<_> = options.collect();
    options.sort();
    let value = fields.get("value").cloned();
    Some(Response {
        code,
        options,
        payload: bytes(fields["payload"].as_str()?),
        value,
    })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
