//! How long a homeserver wants to be left alone.

use crate::bindings::HttpResponse;
use crate::value::Value;

/// Retry-After in seconds (RFC 9110 §10.2.3). Its other form, a date, would need a clock.
pub(crate) fn retry_after(response: &HttpResponse) -> Option<u32> {
    let (_, value) = response
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after")?;
    str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

/// `retry_after_ms` of an error, in seconds: deprecated in favour of the header since Matrix 1.10, and still the only
/// one of many homeservers.
pub(crate) fn retry_after_json(error: &Value) -> Option<u32> {
    let milliseconds = error.get("retry_after_ms").and_then(Value::as_u64)?;
    Some(u32::try_from(milliseconds.div_ceil(1000)).unwrap_or(u32::MAX))
}
