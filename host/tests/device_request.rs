//! Requests of devices to the default rule, and exchanges of it that wait for a homeserver.

use coap::{code, option};
use contract::{CoapOption, Context, Effect, HttpResponse, Message, Outcome, Target};

use crate::component::Component;

/// Content-Format of CBOR.
pub const CBOR: u32 = 60;
/// Content-Format of JSON.
pub const JSON: u32 = 50;

/// An exchange of the resource `path` with the Proxy-Uri `target`.
fn context(component: &Component, method: u8, path: &[&str], target: &[&str]) -> Context {
    let found = component
        .revision
        .find(path, method)
        .unwrap_or_else(|mismatch| panic!("{path:?}: {mismatch:?}"));
    let segments = target.iter().map(|segment| (*segment).to_owned());
    Context {
        link: found.link,
        captures: found.captures,
        requested: (!target.is_empty()).then(|| Target {
            path: segments.collect(),
            query: vec![],
        }),
        principal: None,
        flow_id: "00112233445566778899aabbccddeeff".into(),
        now: Some(1_800_000_000),
        facts: vec![],
    }
}

fn request(method: u8, payload: Option<(u32, &[u8])>) -> Message {
    let format = payload.map(|(format, _)| content_format(format));
    Message {
        code: method,
        options: format.into_iter().collect(),
        payload: payload.map_or_else(Vec::new, |(_, payload)| payload.to_vec()),
    }
}

/// The option Content-Format.
pub fn content_format(format: u32) -> CoapOption {
    let value = format.to_be_bytes();
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    CoapOption {
        number: option::CONTENT_FORMAT,
        value: value[zeros..].to_vec(),
    }
}

/// A message to a room, named by its id.
pub fn send(component: &Component, format: u32, payload: &[u8]) -> (Context, Message) {
    let target = ["9", "!r:h", "m.room.message", "1"];
    (
        context(component, code::PUT, &["send"], &target),
        request(code::PUT, Some((format, payload))),
    )
}

/// Every kind of request of which the default rule makes a call or a delivery.
pub fn all(component: &Component) -> Vec<(Context, Message)> {
    let json = |text: &'static str| Some((JSON, text.as_bytes()));
    let text = json(r#"{"msgtype":"m.text","body":"x"}"#);
    let account = json(r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy"}}"#);
    let login = json(
        r#"{"type":"m.login.password","identifier":{"type":"m.id.user","user":"u"},"password":"p"}"#,
    );
    let kinds = [
        (code::POST, &["register"][..], account),
        (code::POST, &["login"], login),
        (code::POST, &["logout"], None),
        (code::POST, &["join", "!r:h"], None),
        (code::PUT, &["send", "!r:h", "1"], text),
        (code::PUT, &["send", "#a:h", "1"], text),
        (code::GET, &["getmsg", "!r:h"], None),
        (code::GET, &["getmsg", "#a:h"], None),
    ];
    kinds
        .into_iter()
        .map(|(method, path, payload)| {
            (
                context(component, method, path, &[]),
                request(method, payload),
            )
        })
        .collect()
}

/// Exchanges that wait for the outcome of their first call or delivery: one of each kind.
pub fn waiting(component: &Component) -> Vec<(Context, Vec<u8>)> {
    all(component)
        .into_iter()
        .map(
            |(context, request)| match component.call_begin(&context, &request) {
                Ok(Effect::Call(step)) => (context, step.state),
                Ok(Effect::Deliver(delivery)) => (context, delivery.step.state),
                other => panic!("link {}: {other:?}", context.link),
            },
        )
        .collect()
}

/// A homeserver's response in JSON.
pub fn http_response(status: u16, body: Vec<u8>) -> Outcome {
    Ok(HttpResponse {
        status,
        headers: vec![("content-type".into(), b"application/json".to_vec())],
        body,
    })
}
