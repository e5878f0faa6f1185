//! A rule for sensors: `POST <mount>/<room>` with a SenML pack (RFC 8428) in CBOR (Content-Format 112) or JSON (110)
//! becomes one text message, with the readings as structured content beside the text. The response is 2.04 with
//! `{"event_id"}`.
//!
//! [`cbor`] and [`json`] read the two formats, [`record`] checks a record's labels, [`pack`] resolves the base
//! fields, [`decimal`] keeps numbers without floats, and [`content`] makes the event.
#![deny(missing_docs)]

pub mod cbor;
pub mod content;
pub mod decimal;
pub mod json;
pub mod pack;
pub mod record;

use comatrix_sdk::rule::*;

/// Content-Format of SenML in JSON (RFC 8428 §12.1).
pub const SENML_JSON: u16 = 110;
/// Content-Format of SenML in CBOR.
pub const SENML_CBOR: u16 = 112;

/// The rule.
pub static RULE: Rule = Rule::new(&[Route::post("{room}", post)
    .accepts(&[SENML_CBOR, SENML_JSON])
    .calls(&[&SEND])]);

comatrix_sdk::export!(RULE);

static SEND: Delivery<()> = Delivery::put("rooms/{room}/send/m.room.message", sent);

fn post(request: &Request) -> Outcome {
    let room = request.room()?;
    let mut pack = pack::Pack::new(request.now());
    // Without Content-Format: an array of JSON begins with a bracket, one of CBOR with 80 to 9f (RFC 8949 §3.1).
    let is_json = match request.content_format() {
        Some(format) => format == u32::from(SENML_JSON),
        None => request.bytes().trim_ascii_start().starts_with(b"["),
    };
    if is_json {
        json::read(request.bytes(), &mut pack)?;
    } else {
        cbor::read(request.bytes(), &mut pack)?;
    }
    let content = content::content(&pack.finish()?)?;
    SEND.to(&[&room]).json(&content)?.deliver(request.flow_id())
}

fn sent(response: &HomeserverResponse, (): ()) -> Outcome {
    let event_id = response.text("event_id", MAX_IDENTIFIER)?;
    Ok(Reply::changed(Value::texts([("event_id", &event_id)])).into())
}
