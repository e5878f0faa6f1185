//! Keeps passwords and tokens out of everything that is printed.
//!
//! Two rules: the value of a field with a secret's name is hidden, and so is every occurrence of the request's secrets
//! in a response.

use ciborium::Value;

use super::request::encode;

/// The values to hide in one message.
#[derive(Debug, Clone)]
pub struct Redaction<'a> {
    /// Hidden wherever they occur.
    values: Vec<&'a str>,
    show_token: bool,
}

impl<'a> Redaction<'a> {
    /// For requests: by name only. By value, a password `m` would make `m.login.password` unreadable, and reveal
    /// itself.
    pub fn by_name() -> Self {
        Self {
            values: Vec::new(),
            show_token: false,
        }
    }

    /// For responses, which should not repeat a secret but might. `show_token`: the user wants to see the new token.
    pub fn by_name_and_value(secrets: Vec<&'a str>, show_token: bool) -> Self {
        Self {
            values: secrets,
            show_token,
        }
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, &hidden(secret.len()))
        })
    }

    /// The value without secrets, at every depth.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.text(text)),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| self.entry(key, value))
                    .collect(),
            ),
            Value::Tag(number, inner) => Value::Tag(*number, Box::new(self.value(inner))),
            other => other.clone(),
        }
    }

    fn entry(&self, key: &Value, value: &Value) -> (Value, Value) {
        let shown = match self.hides(key) {
            true => Value::Text(hidden(
                value
                    .as_text()
                    .map_or_else(|| encode(value).len(), str::len),
            )),
            false => self.value(value),
        };
        (self.value(key), shown)
    }

    fn hides(&self, key: &Value) -> bool {
        match key.as_text() {
            Some("password") => true,
            Some("access_token" | "refresh_token") => !self.show_token,
            _ => false,
        }
    }

    /// `payload`, whose CBOR is `value`, in hexadecimal without the bytes of secrets.
    pub fn hex(&self, payload: &[u8], value: Option<&Value>) -> String {
        let mut secret = vec![false; payload.len()];
        for needle in &self.values {
            mark(payload, needle.as_bytes(), 0, &mut secret);
        }
        let mut entries = Vec::new();
        if let Some(value) = value {
            self.collect(value, &mut entries);
        }
        // In another encoding the secret's position is uncertain: hide everything.
        if !entries.is_empty() && value.map(encode).as_deref() != Some(payload) {
            return hidden(payload.len());
        }
        for (shown, hidden) in entries {
            mark(
                payload,
                &[shown.as_slice(), &hidden].concat(),
                shown.len(),
                &mut secret,
            );
        }
        hex_around(payload, &secret)
    }

    /// The hidden entries as they are encoded: the part to show, and the secret after it.
    fn collect(&self, value: &Value, entries: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, entries)),
            Value::Tag(_, inner) => self.collect(inner, entries),
            Value::Map(map) => {
                for (key, value) in map {
                    if !self.hides(key) {
                        self.collect(value, entries);
                        continue;
                    }
                    let mut shown = [encode(key), encode(value)].concat();
                    let secret = value.as_text().map_or(encode(value).len(), str::len);
                    let secret = shown.split_off(shown.len() - secret);
                    entries.push((shown, secret));
                }
            }
            _ => {}
        }
    }
}

/// The replacement of a secret.
pub fn hidden(bytes: usize) -> String {
    format!("<hidden, {bytes} bytes>")
}

/// Marks every occurrence of `needle`, except its first `head` bytes.
fn mark(payload: &[u8], needle: &[u8], head: usize, secret: &mut [bool]) {
    for start in 0..(payload.len() + 1).saturating_sub(needle.len()) {
        if payload[start..].starts_with(needle) {
            secret[start + head..start + needle.len()].fill(true);
        }
    }
}

fn hex_around(payload: &[u8], secret: &[bool]) -> String {
    let mut text = String::with_capacity(2 * payload.len());
    let mut hidden_bytes = 0;
    for (byte, secret) in payload.iter().zip(secret) {
        if *secret {
            hidden_bytes += 1;
            continue;
        }
        if hidden_bytes > 0 {
            text.push_str(&hidden(std::mem::take(&mut hidden_bytes)));
        }
        text.push_str(&format!("{byte:02x}"));
    }
    if hidden_bytes > 0 {
        text.push_str(&hidden(hidden_bytes));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(entries: &[(&str, &str)]) -> Value {
        Value::Map(
            entries
                .iter()
                .map(|(key, value)| ((*key).into(), (*value).into()))
                .collect(),
        )
    }

    #[test]
    fn a_secret_under_its_name_is_hidden_in_value_and_hex_and_nothing_else_is() {
        let value = map(&[("user", "m"), ("password", "m")]);
        let payload = encode(&value);
        let redaction = Redaction::by_name();
        assert_eq!(
            redaction.value(&value),
            map(&[("user", "m"), ("password", "<hidden, 1 bytes>")])
        );
        let hex = redaction.hex(&payload, Some(&value));
        assert_eq!(hex, "a26475736572616d6870617373776f726461<hidden, 1 bytes>");
    }

    #[test]
    fn a_token_is_shown_only_on_request() {
        let value = map(&[("access_token", "syt_x")]);
        let payload = encode(&value);
        let redaction = Redaction::by_name_and_value(Vec::new(), false);
        assert_eq!(
            redaction.hex(&payload, Some(&value)),
            "a16c6163636573735f746f6b656e65<hidden, 5 bytes>"
        );
        let asked = Redaction::by_name_and_value(vec!["pw"], true);
        assert_eq!(asked.value(&value), value);
        assert!(asked.hex(&payload, Some(&value)).ends_with("657379745f78"));
    }

    #[test]
    fn hex_of_a_secret_in_an_unusual_encoding_is_hidden_as_a_whole() {
        // The text's length in one byte more than needed.
        let payload = b"\xa1\x6caccess_token\x78\x03abc";
        let value: Value = ciborium::from_reader(payload.as_slice()).expect("CBOR");
        let redaction = Redaction::by_name_and_value(Vec::new(), false);
        assert_eq!(redaction.hex(payload, Some(&value)), "<hidden, 19 bytes>");
    }

    proptest! {
        #[test]
        fn no_secret_of_an_entry_survives(
            secret in "[a-z]{12,20}",
            other in prop::collection::vec(("[A-Z]{1,8}", "[A-Z]{0,300}"), 0..4),
            depth in 0..4usize,
        ) {
            let mut value = map(&[("password", &secret), ("echo", &format!("x{secret}y"))]);
            for (key, text) in &other {
                value = Value::Map(vec![(key.as_str().into(), text.as_str().into()), ("inner".into(), value)]);
            }
            for _ in 0..depth {
                value = Value::Array(vec![value]);
            }
            let payload = encode(&value);
            let redaction = Redaction::by_name_and_value(vec![&secret], false);
            let secret_hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            prop_assert!(!redaction.hex(&payload, Some(&value)).contains(&secret_hex));
            let shown = format!("{:?}", redaction.value(&value));
            prop_assert!(!shown.contains(&secret));
        }
    }
}
