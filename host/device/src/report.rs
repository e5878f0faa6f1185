//! The output for one exchange: text for people, or one JSON object on one line.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::no_response::NoResponse;
use super::option_view::{self, OptionView};
use super::outcome::{exit_code_of_failure, exit_code_of_response, hint, name, remedy};
use super::payload_view::{self, PayloadView};
use super::redaction::Redaction;
use super::traffic::Traffic;
use super::udp::Attempt;
use coap::Message;
use coap::code::{self, Dotted};
use coap::option::{CONTENT_FORMAT, MAX_AGE, PROXY_URI, URI_PATH};

/// Hexadecimal digits of one payload in text output; JSON has all of them.
const HEX_SHOWN: usize = 512;

/// Characters of one payload in text output; JSON has all of them.
const TEXT_SHOWN: usize = 4_096;

/// A request, with everything that its output needs besides the response.
pub(super) struct Report<'a> {
    /// Position among the repetitions, from 1.
    pub(super) number: u32,
    pub(super) repeat: u32,
    pub(super) request: &'a Message,
    pub(super) confirmable: bool,
    /// Hides secrets in the response.
    pub(super) redaction: Redaction<'a>,
    /// Whether a successful response has an access token to hide.
    pub(super) returns_token: bool,
}

impl Report<'_> {
    /// Prints the request, before it is sent.
    pub(super) fn write_request(&self, out: &mut impl Write, gateway: &str) -> io::Result<()> {
        let redaction = Redaction::by_name();
        let counter = match self.repeat {
            1 => String::new(),
            repeat => format!("  [{} of {repeat}]", self.number),
        };
        let path = self.path();
        writeln!(
            out,
            "-> {} {path}  {}  {gateway}{counter}",
            method(self.request.code),
            self.message_type()
        )?;
        for option in self
            .request
            .options
            .iter()
            .filter(|option| option.number != URI_PATH)
        {
            write_option(out, &option_view::view(option, &redaction))?;
        }
        write_payload(out, self.request, &redaction, false)
    }

    /// Prints the response, or the reason why there is none.
    pub(super) fn write_response(
        &self,
        out: &mut impl Write,
        address: SocketAddr,
        attempt: &Attempt,
    ) -> io::Result<()> {
        match &attempt.outcome {
            Ok(response) => {
                let code = response.code;
                writeln!(
                    out,
                    "<- {} {}  from {address} in {} ms",
                    Dotted(code),
                    name(code),
                    milliseconds(attempt.took)
                )?;
                for option in &response.options {
                    write_option(out, &option_view::view(option, &self.redaction))?;
                }
                write_payload(out, response, &self.redaction, self.has_token(response))?;
                write_traffic(out, &attempt.traffic)?;
                hint(code).map_or(Ok(()), |hint| writeln!(out, "   hint: {hint}"))
            }
            Err(failure) => {
                writeln!(out, "<- {failure}, after {} ms", milliseconds(attempt.took))?;
                write_traffic(out, &attempt.traffic)?;
                writeln!(out, "   hint: {}", remedy(failure, self.confirmable))
            }
        }
    }

    /// Prints request and response as one JSON object on one line.
    pub(super) fn write_json(
        &self,
        out: &mut impl Write,
        address: SocketAddr,
        attempt: &Attempt,
    ) -> io::Result<()> {
        let traffic = &attempt.traffic;
        let mut object = json!({
            "exchange": self.number,
            "gateway": address.to_string(),
            "request": {
                "method": method(self.request.code),
                "path": self.path(),
                "type": self.message_type(),
                "proxy_uri": text_option(self.request, PROXY_URI),
            },
            "round_trip_ms": attempt.took.as_micros() as f64 / 1e3,
            "sent": { "datagrams": traffic.datagrams_sent, "bytes": traffic.bytes_sent },
            "received": { "datagrams": traffic.datagrams_received, "bytes": traffic.bytes_received },
            "retransmissions": traffic.retransmissions,
        });
        add_content(
            &mut object["request"],
            self.request,
            &Redaction::by_name(),
            false,
        );
        match &attempt.outcome {
            Ok(response) => {
                object["exit_code"] = exit_code_of_response(response.code).into();
                object["response"] = json!({
                    "code": Dotted(response.code).to_string(),
                    "name": name(response.code),
                    "content_format": response.uint_option(CONTENT_FORMAT),
                    "max_age": response.uint_option(MAX_AGE),
                    "hint": hint(response.code),
                });
                let has_token = self.has_token(response);
                add_content(
                    &mut object["response"],
                    response,
                    &self.redaction,
                    has_token,
                );
            }
            Err(failure) => {
                object["exit_code"] = exit_code_of_failure(failure).into();
                object["error"] = error(failure, self.confirmable);
            }
        }
        writeln!(out, "{object}")
    }

    fn has_token(&self, response: &Message) -> bool {
        self.returns_token && code::class(response.code) == 2
    }

    fn path(&self) -> String {
        let segments = self.request.options(URI_PATH).map(String::from_utf8_lossy);
        segments
            .map(|segment| format!("/{}", super::notation::printable(&segment)))
            .collect()
    }

    fn message_type(&self) -> &'static str {
        if self.confirmable { "CON" } else { "NON" }
    }
}

fn error(failure: &NoResponse, confirmable: bool) -> serde_json::Value {
    json!({ "message": failure.to_string(), "hint": remedy(failure, confirmable) })
}

fn method(code: u8) -> &'static str {
    match code {
        code::GET => "GET",
        code::POST => "POST",
        code::PUT => "PUT",
        _ => "(method)",
    }
}

fn text_option(message: &Message, number: u16) -> Option<String> {
    message
        .option(number)
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e3)
}

fn add_content(
    object: &mut serde_json::Value,
    message: &Message,
    redaction: &Redaction<'_>,
    has_token: bool,
) {
    let PayloadView {
        json, hex, problem, ..
    } = payload_view::view(message, redaction, has_token);
    let option = |option: &OptionView| json!({ "number": option.number, "name": option.name, "value": option.json });
    object["options"] = message
        .options
        .iter()
        .map(|raw| option(&option_view::view(raw, redaction)))
        .collect();
    object["payload_bytes"] = message.payload.len().into();
    if !message.payload.is_empty() {
        object["payload"] = json;
        object["payload_hex"] = hex.into();
        object["payload_problem"] = problem.into();
    }
}

fn write_option(out: &mut impl Write, option: &OptionView) -> io::Result<()> {
    let OptionView {
        number, name, text, ..
    } = option;
    writeln!(out, "   {name} ({number}): {text}")
}

fn write_payload(
    out: &mut impl Write,
    message: &Message,
    redaction: &Redaction<'_>,
    has_token: bool,
) -> io::Result<()> {
    if message.payload.is_empty() {
        return Ok(());
    }
    let PayloadView { text, hex, .. } = payload_view::view(message, redaction, has_token);
    writeln!(
        out,
        "   payload, {} bytes: {}",
        message.payload.len(),
        shortened(&text, TEXT_SHOWN)
    )?;
    hex.map_or(Ok(()), |hex| {
        writeln!(out, "   hex: {}", shortened(&hex, HEX_SHOWN))
    })
}

fn write_traffic(out: &mut impl Write, traffic: &Traffic) -> io::Result<()> {
    let datagrams = |count: u32| {
        if count == 1 {
            "1 datagram".to_owned()
        } else {
            format!("{count} datagrams")
        }
    };
    let Traffic {
        bytes_sent,
        bytes_received,
        retransmissions,
        ..
    } = traffic;
    let (sent, received) = (
        datagrams(traffic.datagrams_sent),
        datagrams(traffic.datagrams_received),
    );
    writeln!(
        out,
        "   {bytes_sent} bytes sent in {sent}, {bytes_received} received in {received}, \
         {retransmissions} retransmissions"
    )
}

fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}… (shortened; --json prints all of it)", &text[..end]),
        None => text.to_owned(),
    }
}
