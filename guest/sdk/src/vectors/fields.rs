//! Fields of a case's files.

use serde_json::Value as Json;

use crate::bindings::{CallError, HttpResponse};

/// An HTTP response; none without a `status`.
pub(super) fn response(outcome: &Json) -> Option<HttpResponse> {
    let headers = pairs(&outcome["headers"])
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()));
    let body = match &outcome["json"] {
        Json::Null => bytes(outcome, "body").unwrap_or_default(),
        json => json.to_string().into_bytes(),
    };
    Some(HttpResponse {
        status: outcome["status"].as_u64()? as u16,
        headers: headers.collect(),
        body,
    })
}

/// How a call ends: its `answer` or its `error`.
pub(super) fn outcome(call: &Json) -> Result<HttpResponse, CallError> {
    response(&call["answer"]).ok_or_else(|| CallError {
        reason: string(&call["error"]["reason"]),
        sent: call["error"]["sent"].as_bool().unwrap_or(false),
    })
}

pub(super) fn string(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn strings(value: &Json) -> Vec<String> {
    value.as_array().into_iter().flatten().map(string).collect()
}

pub(super) fn pairs(value: &Json) -> Vec<(String, String)> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| (string(&pair[0]), string(&pair[1])))
        .collect()
}

/// The bytes of `<field>_hex` or the text of `<field>_text`.
pub(super) fn bytes(value: &Json, field: &str) -> Option<Vec<u8>> {
    if let Some(text) = value[format!("{field}_text")].as_str() {
        return Some(text.as_bytes().to_vec());
    }
    hex_bytes(value[format!("{field}_hex")].as_str()?)
}

/// The bytes of hexadecimal digits; other characters are for the reader.
pub(super) fn hex_bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}
