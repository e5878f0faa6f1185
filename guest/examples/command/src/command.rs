//! Commands that people write to a device: `!<device> on`, `!<device> off`, or `!<device> <key> <value>` with more
//! pairs after it.

use comatrix_sdk::{Value, json};

/// Bytes of a command; it bounds the response to a device with little memory.
pub const MAX_COMMAND: usize = 512;

/// Bytes of a device's name.
const MAX_NAME: usize = 64;

/// Whether a device can have this name: letters, digits and `- . _`.
pub fn is_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed)
}

/// The command in a message, if it is one for `device`: `{"on": true}` for `!lamp on`, `{"level": 40}` for
/// `!lamp level 40`. A value is a number as in JSON, `true`, `false`, `on` or `off` (truth values), else text.
/// A message that is not wholly of this form, or names a key twice, is none.
pub fn parse(message: &str, device: &str) -> Option<Value> {
    if message.len() > MAX_COMMAND {
        return None;
    }
    let mut words = message.strip_prefix('!')?.split_whitespace();
    if words.next()? != device || message[1..].starts_with(char::is_whitespace) {
        return None;
    }
    let words: Vec<&str> = words.collect();
    if let [switch] = words.as_slice() {
        let on = truth(switch).filter(|_| matches!(*switch, "on" | "off"))?;
        return Some(Value::map([("on", on.into())]));
    }
    let mut pairs: Vec<(String, Value)> = Vec::new();
    for pair in words.chunks(2) {
        let &[key, value] = pair else {
            return None;
        };
        if pairs.iter().any(|(earlier, _)| earlier == key) {
            return None;
        }
        pairs.push((key.to_owned(), typed(value)));
    }
    (!pairs.is_empty()).then_some(Value::Map(pairs))
}

fn truth(word: &str) -> Option<bool> {
    match word {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

fn typed(word: &str) -> Value {
    if let Some(truth) = truth(word) {
        return truth.into();
    }
    match json::decode(word.as_bytes()) {
        Ok(number @ (Value::Unsigned(_) | Value::Negative(_) | Value::Float(_))) => number,
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::json::to_text;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_becomes_a_map() {
        for (message, command) in [
            ("!lamp on", r#"{"on":true}"#),
            ("!lamp off", r#"{"on":false}"#),
            ("!lamp level 40", r#"{"level":40}"#),
            ("!lamp  level -7 \n", r#"{"level":-7}"#),
            (
                "!lamp level 21.5 colour red",
                r#"{"level":21.5,"colour":"red"}"#,
            ),
            ("!lamp on false", r#"{"on":false}"#),
            ("!lamp level 1e3", r#"{"level":1000.0}"#),
            (
                "!lamp level nan text null",
                r#"{"level":"nan","text":"null"}"#,
            ),
            (
                "!lamp level 99999999999999999999",
                r#"{"level":"99999999999999999999"}"#,
            ),
        ] {
            let parsed = parse(message, "lamp");
            assert_eq!(parsed.as_ref().map(to_text).as_deref(), Some(command));
        }
    }

    #[test]
    fn what_is_no_command_for_the_device_is_none() {
        let long = format!("!lamp text {}", "x".repeat(MAX_COMMAND));
        for message in [
            "",
            "!",
            "lamp on",
            "! lamp on",
            "!lamp",
            "!lamps on",
            "!Lamp on",
            "!lamp true",
            "!lamp level",
            "!lamp level 40 colour",
            "!lamp level 1 level 2",
            "say !lamp on",
            &long,
        ] {
            assert_eq!(parse(message, "lamp"), None, "{message}");
        }
    }

    #[test]
    fn names_have_no_blanks_and_no_marks() {
        for name in ["lamp", "Küche.1", "a-b_c"] {
            assert!(is_name(name));
        }
        for name in ["", "a b", "!a", "a/b", &"x".repeat(MAX_NAME + 1)] {
            assert!(!is_name(name));
        }
    }

    proptest! {
        #[test]
        fn any_message_is_a_command_or_none(message in "!?(lamp)?[ !a-z0-9.\\PC]{0,40}") {
            if let Some(Value::Map(pairs)) = parse(&message, "lamp") {
                prop_assert!(!pairs.is_empty());
                let keys: std::collections::BTreeSet<_> = pairs.iter().map(|(key, _)| key).collect();
                prop_assert_eq!(keys.len(), pairs.len());
            }
        }

        #[test]
        fn every_pair_of_words_is_found_again(key in "[a-z]{1,8}", number: i64) {
            let expected = Value::map([(key.as_str(), number.into())]);
            prop_assert_eq!(parse(&format!("!lamp {key} {number}"), "lamp"), Some(expected));
        }
    }
}
