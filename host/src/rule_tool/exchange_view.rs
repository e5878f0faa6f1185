//! The output for an exchange as text for people.

use std::io::{self, Write};

use super::description_view::path as link_path;
use super::exchange_event::Event;
use coap::Message;
use coap::code::{self, Dotted};
use coap::option::{CONTENT_FORMAT, URI_PATH, content_format};
use contract::{Description, SessionChange};
use device::notation::printable;
use device::option_view::{self, OptionView};
use device::outcome::name;
use device::payload_view::{self, PayloadView};
use device::redaction::Redaction;

/// Prints an exchange for people.
pub(super) fn write_text(
    out: &mut impl Write,
    description: &Description,
    events: &[Event],
    responses: usize,
) -> io::Result<()> {
    let mut calls = 0;
    for event in events {
        match event {
            Event::Request(message, link) => {
                write!(out, "-> {} {}", method(message.code), path(message))?;
                match link.and_then(|index| description.links.get(usize::from(index))) {
                    Some(link) => writeln!(out, "  (link {})", link_path(&link.path))?,
                    None => writeln!(out)?,
                }
                write_message(out, message)?;
            }
            Event::Call {
                request,
                delivery,
                state,
            } => {
                calls += 1;
                let kind = delivery.as_ref().map_or("call", |_| "delivery");
                writeln!(
                    out,
                    "=> {kind} {calls}: {} {}  upstream {}, credential {}",
                    printable(&request.method),
                    printable(&format!("/{}", request.path.join("/"))),
                    printable(request.upstream.name()),
                    printable(&request.credential)
                )?;
                if let Some((lane, transaction)) = delivery {
                    let (lane, transaction) = (printable(lane), printable(transaction));
                    writeln!(out, "   lane {lane}, transaction {transaction}")?;
                    writeln!(out, "   the gateway appends the transaction id to the path")?;
                }
                for (name, value) in &request.query {
                    writeln!(out, "   query {}", printable(&format!("{name}={value}")))?;
                }
                for (name, value) in &request.headers {
                    writeln!(out, "   header {}", printable(&format!("{name}: {value}")))?;
                }
                if let Some(body) = &request.body {
                    write_payload(out, "body", &body_message(body))?;
                }
                if request.hold_ms > 0 {
                    writeln!(out, "   held for {} ms", request.hold_ms)?;
                }
                writeln!(out, "   state, {state} bytes")?;
            }
            Event::Outcome(Ok(response)) => {
                writeln!(out, "<= {}", response.status)?;
                for (name, value) in &response.headers {
                    let value = String::from_utf8_lossy(value);
                    writeln!(out, "   header {}", printable(&format!("{name}: {value}")))?;
                }
                write_payload(out, "body", &body_message(&response.body))?;
            }
            Event::Outcome(Err(error)) => {
                let reason = printable(&error.reason);
                writeln!(
                    out,
                    "<= no response: {reason}{}",
                    if error.sent { ", sent" } else { "" }
                )?;
                if error.reason == "denied" {
                    writeln!(
                        out,
                        "   the gateway makes only calls that the needs in `describe` allow"
                    )?;
                }
            }
            Event::Response {
                message,
                session,
                watch,
            } => {
                writeln!(out, "<- {} {}", Dotted(message.code), name(message.code))?;
                write_message(out, message)?;
                if let Some(session) = session {
                    writeln!(out, "   session: {}", session_text(session))?;
                }
                if let Some(topic) = watch {
                    writeln!(out, "   starts an observation of {}", printable(topic))?;
                }
            }
            Event::Lost => writeln!(out, "<- 5.03, from the gateway: messages were lost")?,
            Event::Error(error) => {
                let code = error.code();
                writeln!(
                    out,
                    "<- {} {}, from the gateway: {error}",
                    Dotted(code),
                    name(code)
                )?;
            }
        }
    }
    let unused = responses.saturating_sub(calls);
    if unused > 0 {
        writeln!(
            out,
            "   note: {unused} of --upstream-response were not used"
        )?;
    }
    Ok(())
}

fn write_message(out: &mut impl Write, message: &Message) -> io::Result<()> {
    for option in shown_options(message) {
        writeln!(
            out,
            "   {} ({}): {}",
            option.name, option.number, option.text
        )?;
    }
    write_payload(out, "payload", message)
}

fn write_payload(out: &mut impl Write, name: &str, message: &Message) -> io::Result<()> {
    let bytes = message.payload.len();
    if bytes == 0 {
        return Ok(());
    }
    let PayloadView { text, hex, .. } = payload_view::view(message, &Redaction::by_name(), false);
    writeln!(out, "   {name}, {bytes} bytes: {text}")?;
    hex.map_or(Ok(()), |hex| writeln!(out, "   hex: {hex}"))
}

/// All options except Uri-Path, which is in the first line.
pub(super) fn shown_options(message: &Message) -> impl Iterator<Item = OptionView> {
    let options = message.options.iter();
    options
        .filter(|option| option.number != URI_PATH)
        .map(|option| option_view::view(option, &Redaction::by_name()))
}

/// An HTTP body as a message, so that it is printed like a payload: as JSON if possible, else as text or hexadecimal.
pub(super) fn body_message(body: &[u8]) -> Message {
    let message = Message::new(code::CONTENT).with_payload(body);
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => message.with_uint_option(CONTENT_FORMAT, content_format::JSON.into()),
        Err(_) => message,
    }
}

pub(super) fn path(message: &Message) -> String {
    let segments = message.options(URI_PATH).map(String::from_utf8_lossy);
    let path: String = segments
        .map(|segment| format!("/{}", printable(&segment)))
        .collect();
    if path.is_empty() { "/".into() } else { path }
}

pub(super) fn session_text(session: &SessionChange) -> &'static str {
    match session {
        // Without the token: it is a secret.
        SessionChange::Open(_) => "remembers the token of this response",
        SessionChange::Close => "forgets its token",
    }
}

pub(super) fn method(code: u8) -> String {
    let names = ["GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"];
    let name = usize::from(code)
        .checked_sub(1)
        .and_then(|index| names.get(index));
    name.map_or_else(|| Dotted(code).to_string(), |name| (*name).to_owned())
}
