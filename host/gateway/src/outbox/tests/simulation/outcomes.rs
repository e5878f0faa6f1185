//! Outcomes of requests.

use contract::{CallError, HttpResponse, Outcome};

use super::homeserver::Mood;

pub fn error(reason: &str, sent: bool) -> Outcome {
    let reason = reason.to_owned();
    Err(CallError { reason, sent })
}

pub fn refusal(mood: Mood, seconds: u64) -> Outcome {
    let mut refusal = match mood {
        Mood::Limited => response(429, r#"{"errcode":"M_LIMIT_EXCEEDED"}"#),
        Mood::NoToken => response(401, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#),
        Mood::Page => response(200, "<html>"),
        _ => response(502, ""),
    };
    let seconds = seconds.to_string().into_bytes();
    refusal.headers.push(("retry-after".to_owned(), seconds));
    Ok(refusal)
}

pub fn sent(id: &str) -> HttpResponse {
    response(200, &serde_json::json!({ "event_id": id }).to_string())
}

pub fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}
