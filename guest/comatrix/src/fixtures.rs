//! Short ways for tests to say what came in and what went out. Whole exchanges stand in `vectors/`.

use comatrix_sdk::bindings::{
    CallError, Context, Effect, HttpResponse, Message, Reply, Step, Target,
};
use comatrix_sdk::message::{CONTENT_FORMAT, uint};
use comatrix_sdk::payload::Format;

use crate::refusal::Refusal;

/// A request without Proxy-Uri, whose Uri-Path held `captures`.
pub fn local(captures: &[&str]) -> Context {
    Context {
        link: 0,
        captures: captures.iter().map(|text| (*text).to_owned()).collect(),
        requested: None,
        principal: None,
        flow_id: "0f".repeat(16),
        now: None,
        facts: vec![],
    }
}

/// A request whose Proxy-Uri names `path`.
pub fn proxied(path: &str) -> Context {
    let path = path.split('/').map(str::to_owned).collect();
    Context {
        requested: Some(Target {
            path,
            query: vec![],
        }),
        ..local(&[])
    }
}

/// A request with a JSON payload.
pub fn json_request(payload: &str) -> Message {
    let options = vec![uint(CONTENT_FORMAT, Format::Json.number().into())];
    Message {
        code: 0,
        options,
        payload: payload.into(),
    }
}

/// A request without a payload.
pub fn empty_request() -> Message {
    Message {
        code: 0,
        options: vec![],
        payload: vec![],
    }
}

/// A homeserver's 200.
pub fn success(body: &str) -> Result<HttpResponse, CallError> {
    Ok(HttpResponse {
        status: 200,
        headers: vec![],
        body: body.into(),
    })
}

/// The call that was asked for.
pub fn call(effect: Result<Effect, Refusal>) -> Step {
    match effect {
        Ok(Effect::Call(step)) => step,
        other => panic!("no call, but {other:?}"),
    }
}

/// The answer that was given.
pub fn reply(effect: Result<Effect, Refusal>) -> Reply {
    match effect {
        Ok(Effect::Reply(reply)) => reply,
        other => panic!("no reply, but {other:?}"),
    }
}

/// The path of a call below the client-server API.
pub fn path(step: &Step) -> String {
    step.request
        .path
        .iter()
        .skip(crate::call::CLIENT_API.len())
        .map(|segment| format!("/{segment}"))
        .collect()
}
