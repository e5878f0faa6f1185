//! How far the device of an observation is, and whether a response has something new for it.

use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::{Value, cbor, code, json};

use crate::plan::{Form, damaged, pairs};

/// Bytes of a state (`step.state` of the contract).
const MAX_STATE: usize = 16 * 1024;

/// Bytes of a response without news: it has its position and some counts of keys.
const MAX_QUIET: usize = 4096;

/// Members that are no news themselves.
const POSITION: &str = "next_batch";

/// Members that every response has. They are news if they are others than before.
const COUNTS: [&str; 3] = [
    "device_one_time_keys_count",
    "device_unused_fallback_key_types",
    "org.matrix.msc2732.device_unused_fallback_key_types",
];

/// The state of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The form of notifications.
    pub form: Form,
    /// `next_batch` of the last response that the device has acknowledged.
    pub since: String,
    /// The device's query without its position, such as its filter.
    pub query: Vec<(String, String)>,
    /// The digest of the counts in that response; 0 if it was too large to be read for them.
    pub counts: u64,
}

impl Position {
    /// As the gateway keeps it; 4.13 if the query is too large for that.
    pub fn encode(&self) -> Result<Vec<u8>, ErrorResponse> {
        let query = self.query.iter().flat_map(|(name, value)| [name, value]);
        let state = cbor::encode(&Value::Array(vec![
            Value::Unsigned(self.form.format.number().into()),
            Value::Bool(self.form.has_integer_keys),
            Value::Text(self.since.clone()),
            Value::Array(query.map(|text| Value::Text(text.clone())).collect()),
            Value::Unsigned(self.counts),
        ]));
        match state.len() <= MAX_STATE {
            true => Ok(state),
            false => Err(ErrorResponse::new(
                code::REQUEST_ENTITY_TOO_LARGE,
                "Uri-Query: send the id of a stored filter; this one is too large to observe with",
            )),
        }
    }

    /// The position that [`encode`](Self::encode) has made.
    pub fn decode(state: &[u8]) -> Result<Position, ErrorResponse> {
        cbor::decode(state)
            .ok()
            .and_then(Position::of)
            .ok_or_else(damaged)
    }

    fn of(value: Value) -> Option<Position> {
        let Value::Array(fields) = value else {
            return None;
        };
        let mut fields = fields.into_iter();
        Some(Position {
            form: Form::of(&fields.next()?, &fields.next()?)?,
            since: fields.next()?.as_text()?.to_owned(),
            query: pairs(fields.next()?)?,
            counts: fields.next()?.as_u64()?,
        })
    }
}

/// What a response has for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// Whether there is any.
    pub is_some: bool,
    /// The digest of its counts; the earlier one if it was not read.
    pub counts: u64,
}

/// Whether the response to a poll has news for a device that has seen these counts. A response that a homeserver has
/// held until its time was over has none.
pub fn has_news(body: &[u8], counts: u64) -> News {
    let large = News {
        is_some: true,
        counts,
    };
    if body.len() > MAX_QUIET {
        return large;
    }
    let Ok(Value::Map(members)) = json::decode(body) else {
        return large;
    };
    let mut digest = Digest::new();
    let mut is_some = false;
    for (name, value) in &members {
        match name.as_str() {
            POSITION => {}
            name if COUNTS.contains(&name) => {
                digest.add(name.as_bytes());
                digest.add(&cbor::encode(value));
            }
            _ => is_some |= !is_empty(value),
        }
    }
    News {
        is_some: is_some || (counts != 0 && digest.0 != counts),
        counts: digest.0,
    }
}

/// Whether there is nothing in a value but arrays and maps.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(is_empty),
        Value::Map(pairs) => pairs.iter().all(|(_, value)| is_empty(value)),
        _ => false,
    }
}

/// FNV-1a of 64 bits: two digests differ if the counts do, but for one case of 2^64. No secret depends on it.
struct Digest(u64);

impl Digest {
    fn new() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::payload::Format;

    use super::*;

    #[test]
    fn a_position_comes_back_as_it_was_and_another_state_is_refused() {
        let position = Position {
            form: Form {
                format: Format::Cbor,
                has_integer_keys: true,
            },
            since: "s1".to_owned(),
            query: vec![("filter".to_owned(), "0".to_owned())],
            counts: u64::MAX,
        };
        let state = position.encode().expect("it is small");
        assert_eq!(Position::decode(&state), Ok(position.clone()));
        for state in [&b""[..], b"\x80", b"\xa0", &state[..state.len() - 1]] {
            assert!(Position::decode(state).is_err());
        }
        let query = vec![("filter".to_owned(), "x".repeat(MAX_STATE))];
        assert!(Position { query, ..position }.encode().is_err());
    }

    #[test]
    fn only_what_a_device_has_not_seen_is_news() {
        let counts = has_news(br#"{"device_one_time_keys_count":{"c":50}}"#, 0).counts;
        for (body, expected) in [
            (
                r#"{"next_batch":"s2","device_one_time_keys_count":{"c":50}}"#,
                false,
            ),
            (
                r#"{"device_one_time_keys_count":{"c":50},"rooms":{"join":{}},"presence":{"events":[]}}"#,
                false,
            ),
            (
                r#"{"next_batch":"s2","device_one_time_keys_count":{"c":49}}"#,
                true,
            ),
            (
                r#"{"device_one_time_keys_count":{"c":50},"to_device":{"events":[{"type":"a"}]}}"#,
                true,
            ),
            (
                r#"{"device_one_time_keys_count":{"c":50},"rooms":{"leave":{"!r:h":{"state":1}}}}"#,
                true,
            ),
        ] {
            assert_eq!(
                has_news(body.as_bytes(), counts).is_some,
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn a_large_response_is_news_and_keeps_the_counts() {
        let body = format!("{{\"next_batch\":\"{}\"}}", "x".repeat(MAX_QUIET));
        let expected = News {
            is_some: true,
            counts: 7,
        };
        assert_eq!(has_news(body.as_bytes(), 7), expected);
    }
}
