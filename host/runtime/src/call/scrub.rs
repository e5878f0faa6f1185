//! Removes secrets from the lines that a rule logs: rules get passwords in requests and tokens in HTTP responses.

use std::collections::HashSet;

/// Replaces hidden text.
const HIDDEN: &str = "[hidden]";
/// Bytes in a row of a device's own data that count as a leak: a PIN has four.
pub(crate) const DEVICE_RUN: usize = 4;
/// Bytes in a row of an HTTP response that count as a leak. Tokens are longer, ordinary words mostly shorter.
pub(crate) const HTTP_RUN: usize = 8;

/// Replaces each part of the lines that has at least `run` bytes and is also part of one of `secrets`.
///
/// It reads the secrets once for all lines.
pub(crate) fn scrub(lines: &mut [String], secrets: &[&[u8]], run: usize) {
    let wanted: HashSet<&[u8]> = lines
        .iter()
        .flat_map(|line| line.as_bytes().windows(run))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let found: HashSet<Vec<u8>> = secrets
        .iter()
        .flat_map(|secret| secret.windows(run))
        .filter_map(|window| wanted.get(window).map(|window| window.to_vec()))
        .collect();
    for line in lines.iter_mut().filter(|_| !found.is_empty()) {
        *line = without(line, &found, run);
    }
}

fn without(text: &str, found: &HashSet<Vec<u8>>, run: usize) -> String {
    let bytes = text.as_bytes();
    let mut hidden = vec![false; bytes.len()];
    for (start, window) in bytes.windows(run).enumerate() {
        if found.contains(window) {
            hidden[start..start + run].fill(true);
        }
    }
    let mut line = String::with_capacity(text.len());
    let mut in_hidden = false;
    for (start, character) in text.char_indices() {
        // A character is hidden if any of its bytes is part of a secret.
        let is_hidden = hidden[start..start + character.len_utf8()].contains(&true);
        if is_hidden && !in_hidden {
            line.push_str(HIDDEN);
        } else if !is_hidden {
            line.push(character);
        }
        in_hidden = is_hidden;
    }
    line
}

/// The texts of a JSON document without their escapes, as a rule has them after it has parsed the document.
pub(crate) fn texts(json: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    if let Ok(value) = serde_json::from_slice(json) {
        collect(value, &mut texts);
    }
    texts
}

fn collect(value: serde_json::Value, texts: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.into_bytes()),
        serde_json::Value::Array(items) => items.into_iter().for_each(|item| collect(item, texts)),
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                texts.push(name.into_bytes());
                collect(field, texts);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scrubbed(text: &str, secrets: &[&[u8]]) -> String {
        let mut lines = [text.to_owned()];
        scrub(&mut lines, secrets, DEVICE_RUN);
        let [line] = lines;
        line
    }

    #[test]
    fn a_password_in_a_line_is_hidden_and_the_rest_stays() {
        let request = b"\xa2\x64user\x65alice\x68password\x67hunter2";
        assert_eq!(
            scrubbed("login with hunter2, 7 letters", &[request]),
            "login with [hidden], 7 letters"
        );
        assert_eq!(scrubbed("x=hunter2", &[b"other"]), "x=hunter2");
        assert_eq!(scrubbed("abc", &[b"abc"]), "abc");
        assert_eq!(scrubbed("", &[b"abcd"]), "");
    }

    #[test]
    fn a_part_of_a_secret_is_one_too() {
        assert_eq!(scrubbed("pw: unter", &[b"hunter2"]), "pw: [hidden]");
        assert_eq!(scrubbed("schlüssel", &["lüss".as_bytes()]), "sch[hidden]el");
    }

    #[test]
    fn text_that_json_escapes_is_found_without_its_escapes() {
        let texts = texts(br#"{"password": ["p\u00e4ssw\u00f6rd", 7]}"#);
        assert_eq!(
            texts,
            [b"password".to_vec(), "pässwörd".as_bytes().to_vec()]
        );
        assert!(super::texts(b"{").is_empty());
    }

    proptest! {
        #[test]
        fn no_run_of_a_secret_is_left(text in "[abcdüß]{0,40}", secret in "[abcdüß]{0,40}") {
            let line = scrubbed(&text, &[secret.as_bytes()]);
            for part in line.split(HIDDEN) {
                for window in part.as_bytes().windows(DEVICE_RUN) {
                    prop_assert!(!secret.as_bytes().windows(DEVICE_RUN).any(|own| own == window));
                }
            }
        }
    }
}
