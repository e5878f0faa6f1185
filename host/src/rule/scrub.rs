//! What a rule logs, without what it must not tell: rules see passwords in requests and tokens in answers.

use std::collections::HashSet;

/// What stands in place of hidden text.
const HIDDEN: &str = "[hidden]";
/// Bytes in a row of a device's own data that count as a leak: a PIN has four.
pub(super) const DEVICE_RUN: usize = 4;
/// Bytes in a row of a homeserver's answer that count as one. Tokens are longer, ordinary words mostly shorter.
pub(super) const ANSWER_RUN: usize = 8;

/// Replaces each part of `text` of at least `run` bytes that also stands in one of `secrets`.
///
/// The secrets are read once, however long the text is.
pub(super) fn scrub(text: &str, secrets: &[&[u8]], run: usize) -> String {
    let bytes = text.as_bytes();
    let wanted: HashSet<&[u8]> = bytes.windows(run).collect();
    if wanted.is_empty() {
        return text.to_owned();
    }
    let found: HashSet<&[u8]> = secrets
        .iter()
        .flat_map(|secret| secret.windows(run))
        .filter(|window| wanted.contains(window))
        .collect();
    let mut hidden = vec![false; bytes.len()];
    for (start, window) in bytes.windows(run).enumerate() {
        if found.contains(window) {
            hidden[start..start + run].fill(true);
        }
    }
    let mut line = String::with_capacity(text.len());
    let mut in_hidden = false;
    for (start, character) in text.char_indices() {
        // A character of which any byte is part of a secret goes with it.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_in_a_line_is_hidden_and_the_rest_stays() {
        let request = b"\xa2\x64user\x65alice\x68password\x67hunter2";
        assert_eq!(
            scrub("login with hunter2, 7 letters", &[request], DEVICE_RUN),
            "login with [hidden], 7 letters"
        );
        assert_eq!(scrub("x=hunter2", &[b"other"], DEVICE_RUN), "x=hunter2");
        assert_eq!(scrub("abc", &[b"abc"], DEVICE_RUN), "abc");
        assert_eq!(scrub("", &[b"abcd"], DEVICE_RUN), "");
    }

    #[test]
    fn a_part_of_a_secret_is_one_too() {
        assert_eq!(
            scrub("pw: unter", &[b"hunter2"], DEVICE_RUN),
            "pw: [hidden]"
        );
        assert_eq!(
            scrub("schlüssel", &["lüss".as_bytes()], DEVICE_RUN),
            "sch[hidden]el"
        );
    }

    proptest! {
        #[test]
        fn no_run_of_a_secret_is_left(text in "[abcdüß]{0,40}", secret in "[abcdüß]{0,40}") {
            let line = scrub(&text, &[secret.as_bytes()], DEVICE_RUN);
            for part in line.split(HIDDEN) {
                for window in part.as_bytes().windows(DEVICE_RUN) {
                    prop_assert!(!secret.as_bytes().windows(DEVICE_RUN).any(|own| own == window));
                }
            }
        }
    }
}
