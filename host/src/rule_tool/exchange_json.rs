//! The output for an exchange as one JSON object, for scripts.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::description_view::path as link_path;
use super::exchange_event::Event;
use super::exchange_view::{body_message, method, path, session_text, shown_options};
use coap::Message;
use coap::code::Dotted;
use contract::{Description, Outcome};
use device::option_view::OptionView;
use device::payload_view;
use device::redaction::Redaction;

/// Prints an exchange for scripts, on one line.
pub(super) fn write_json(
    out: &mut impl Write,
    description: &Description,
    events: &[Event],
    responses: usize,
) -> io::Result<()> {
    let events: Vec<Json> = events
        .iter()
        .map(|event| event_json(description, event))
        .collect();
    let calls = events
        .iter()
        .filter(|event| event["event"] == "call" || event["event"] == "deliver")
        .count();
    let unused = responses.saturating_sub(calls);
    writeln!(
        out,
        "{}",
        json!({ "events": events, "unused_responses": unused })
    )
}

fn event_json(description: &Description, event: &Event) -> Json {
    match event {
        Event::Request(message, link) => {
            let mut json = message_json("request", message);
            json["method"] = method(message.code).into();
            json["path"] = path(message).into();
            let link = link.and_then(|index| description.links.get(usize::from(index)));
            json["link"] = link.map(|link| link_path(&link.path)).into();
            json
        }
        Event::Call {
            request,
            delivery,
            state,
        } => {
            let mut json = json!({
                "event": "call",
                "upstream": request.upstream.name(),
                "credential": request.credential,
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": request.headers,
                "hold_ms": request.hold_ms,
                "state_bytes": state,
            });
            if let Some(body) = &request.body {
                json["body"] = payload_json(&body_message(body));
            }
            if let Some((lane, transaction)) = delivery {
                json["event"] = "deliver".into();
                json["lane"] = lane.as_str().into();
                json["transaction"] = transaction.as_str().into();
            }
            json
        }
        Event::Outcome(outcome) => outcome_json(outcome),
        Event::Response {
            message,
            session,
            watch,
        } => {
            let mut json = message_json("answer", message);
            json["code"] = Dotted(message.code).to_string().into();
            json["session"] = session.as_ref().map(session_text).into();
            json["watch"] = watch.clone().into();
            json
        }
        Event::Lost => json!({ "event": "lost", "code": "5.03" }),
        Event::Error(error) => json!({
            "event": "refused",
            "code": Dotted(error.code()).to_string(),
            "diagnostic": error.to_string(),
        }),
    }
}

fn outcome_json(outcome: &Outcome) -> Json {
    match outcome {
        Ok(response) => json!({
            "event": "outcome",
            "status": response.status,
            "headers": response.headers.iter()
                .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value)))
                .collect::<Vec<_>>(),
            "body": payload_json(&body_message(&response.body)),
        }),
        Err(error) => json!({ "event": "outcome", "error": error.reason, "sent": error.sent }),
    }
}

fn message_json(event: &str, message: &Message) -> Json {
    let options: Vec<Json> = shown_options(message)
        .map(
            |OptionView {
                 number, name, json, ..
             }| { json!({ "number": number, "name": name, "value": json }) },
        )
        .collect();
    json!({ "event": event, "options": options, "payload": payload_json(message) })
}

fn payload_json(message: &Message) -> Json {
    if message.payload.is_empty() {
        return Json::Null;
    }
    let view = payload_view::view(message, &Redaction::by_name(), false);
    json!({ "bytes": message.payload.len(), "value": view.json, "hex": view.hex, "problem": view.problem })
}
