//! A case's expectations, against the rule's effects.

use serde_json::Value as Json;

use super::fields::{bytes, pairs, string, strings};
use crate::bindings::{
    Delivery, Failure, HttpRequest, Message, Reply, SessionChange, Upstream, Watch,
};
use crate::code::dotted;
use crate::message::{CONTENT_FORMAT, MAX_AGE, response, uint_option};

pub(super) fn same_call(expected: &Json, made: &HttpRequest) -> Result<(), String> {
    let upstream = match &made.upstream {
        Upstream::Standard => "standard",
        Upstream::Requested => "requested",
        Upstream::Named(name) => name,
    };
    same(
        "upstream",
        string(&expected["upstream"]),
        upstream.to_owned(),
    )?;
    same(
        "credential",
        string(&expected["credential"]),
        made.credential.clone(),
    )?;
    same("method", string(&expected["method"]), made.method.clone())?;
    same("path", strings(&expected["path"]), made.path.clone())?;
    same("query", pairs(&expected["query"]), made.query.clone())?;
    same(
        "hold_ms",
        expected["hold_ms"].as_u64().unwrap_or(0),
        made.hold_ms.into(),
    )?;
    if !expected["headers"].is_null() {
        same("headers", pairs(&expected["headers"]), made.headers.clone())?;
    }
    if let Some(body) = bytes(expected, "body") {
        return same("body", Some(body), made.body.clone());
    }
    let body = made.body.as_deref().map(serde_json::from_slice::<Json>);
    same(
        "json",
        expected["json"].clone(),
        body.transpose()
            .map_err(|error| error.to_string())?
            .unwrap_or_default(),
    )
}

/// Compares what a delivery has besides its call.
pub(super) fn same_delivery(expected: &Json, made: Option<&Delivery>) -> Result<(), String> {
    let made = made.map(|made| (made.lane.clone(), made.transaction.clone()));
    let wanted = expected
        .as_object()
        .map(|_| (string(&expected["lane"]), string(&expected["transaction"])));
    same("deliver", wanted, made)
}

/// Returns the watch, which is as expected too.
pub(super) fn same_end(
    expected: &Json,
    end: Result<Reply, Failure>,
) -> Result<Option<Watch>, String> {
    let (message, session, watch) = match end {
        Ok(reply) => (reply.message, reply.session, reply.watch),
        Err(failure) => (failure_response(failure), None, None),
    };
    let session = session.map(|session| match session {
        SessionChange::Open(token) => format!("open {token}"),
        SessionChange::Close => "close".to_owned(),
    });
    same_message(expected, message)?;
    same(
        "session",
        expected["session"].as_str().map(str::to_owned),
        session,
    )?;
    let shown = watch.as_ref().map(|watch| {
        (
            watch.share.clone(),
            watch.topic.clone(),
            watch.shown.clone(),
        )
    });
    let wanted = expected["watch"].as_object().map(|_| {
        let watch = &expected["watch"];
        (
            string(&watch["share"]),
            string(&watch["topic"]),
            bytes(watch, "shown"),
        )
    });
    same("watch", wanted, shown)?;
    Ok(watch)
}

/// The gateway's response for a failure (RFC 7252 §5.5.2: no Content-Format).
pub(super) fn failure_response(failure: Failure) -> Message {
    let diagnostic = failure.diagnostic.into_bytes();
    response(failure.code, None, failure.max_age, diagnostic)
}

pub(super) fn same_message(expected: &Json, message: Message) -> Result<(), String> {
    let option = |number| uint_option(&message.options, number).map(u64::from);
    let text = String::from_utf8_lossy(&message.payload);
    same("code", string(&expected["code"]), dotted(message.code))
        .map_err(|error| format!("{error}; payload {text}"))?;
    same(
        "content_format",
        expected["content_format"].as_u64(),
        option(CONTENT_FORMAT),
    )?;
    same("max_age", expected["max_age"].as_u64(), option(MAX_AGE))?;
    match &expected["diagnostic"] {
        Json::String(part) if !text.contains(part.as_str()) => {
            Err(format!("{part:?} is not in the diagnostic {text:?}"))
        }
        Json::String(_) => Ok(()),
        _ => same(
            "payload",
            bytes(expected, "payload").unwrap_or_default(),
            message.payload,
        ),
    }
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: T,
    found: T,
) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, found {found:?}"))
    }
}
