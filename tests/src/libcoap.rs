//! libcoap's `coap-client` as a device: many people have it at hand.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::device::{Payload, Request, Response};
use crate::places::{self, Scratch};

/// Seconds that coap-client waits for a response.
const EXCHANGE_LIMIT: &str = "40";

/// coap-client as it is installed.
pub fn program() -> PathBuf {
    places::on_path(&[
        "coap-client-notls",
        "coap-client-openssl",
        "coap-client-gnutls",
        "coap-client",
    ])
}

/// Makes an exchange with a process of its own. The returned options are empty: coap-client prints them
/// for people. A payload must be bytes: it has no CBOR.
pub fn request(gateway: SocketAddr, request: &Request) -> Response {
    request_with(gateway, request, &[])
}

/// As [`request`], with more of coap-client's own arguments, like `-b 64`.
pub fn request_with(gateway: SocketAddr, request: &Request, arguments: &[&str]) -> Response {
    request_by(&program(), &format!("coap://{gateway}"), request, arguments)
}

/// As [`request_with`], by this client, at the gateway with this URI.
pub fn request_by(
    program: &Path,
    gateway: &str,
    request: &Request,
    arguments: &[&str],
) -> Response {
    let scratch = Scratch::new("libcoap");
    let output_file = scratch.path().join("response");
    let mut command = Command::new(program);
    // Level 7 shows each message as a line, code included.
    command.args([
        "-v",
        "7",
        "-B",
        EXCHANGE_LIMIT,
        "-m",
        &request.method.to_lowercase(),
    ]);
    command.arg("-o").arg(&output_file);
    command.args(arguments);
    for (number, value) in &request.options {
        command
            .arg("-O")
            .arg(format!("{number},0x{}", crate::aiocoap::hex(value)));
    }
    if let Some(content_format) = request.content_format {
        command.args(["-t", &content_format.to_string()]);
    }
    if let Some(accept) = request.accept {
        command.args(["-A", &accept.to_string()]);
    }
    if request.non {
        command.arg("-N");
    }
    match &request.payload {
        Payload::Empty => {}
        Payload::Bytes(bytes) => {
            let file = scratch.path().join("request");
            fs::write(&file, bytes).expect("the scratch folder is writable");
            command.arg("-f").arg(file);
        }
        Payload::Cbor(value) => panic!("coap-client has no CBOR; give {value} as bytes"),
    }
    command.arg(format!("{gateway}{}", request.path));
    let output = command.output().expect("coap-client starts");
    let log = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let code =
        last_response_code(&log).unwrap_or_else(|| panic!("no response to {command:?}:\n{log}"));
    Response {
        code,
        options: Vec::new(),
        payload: fs::read(&output_file).unwrap_or_default(),
        value: None,
    }
}

/// The code of the last response in a log with lines like `v:1 t:ACK c:2.05 i:1a2b {01} [ … ]`.
fn last_response_code(log: &str) -> Option<String> {
    let mut codes = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" c:")?;
        rest.split_whitespace().next()
    });
    codes
        .rfind(|code| code.starts_with(['2', '4', '5']))
        .map(str::to_owned)
}
