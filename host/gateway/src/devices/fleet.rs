//! The file of `devices import` and `export`: devices with their secrets, in TOML.
//!
//! ```toml
//! [kitchen]
//! psk = "secretPSK1234567"
//!
//! [roof]
//! oscore = { secret = "00112233445566778899aabbccddeeff", salt = "0011223344556677", sender_id = "01" }
//! ```

use std::collections::BTreeMap;

use contract::escaping::escaped;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use toml::Spanned;

use secure::dtls::PskKey;

use super::credential::{Credential, OscoreKeys};
use super::name;

/// Faults that are reported at a time: a screen.
const MOST_FAULTS: usize = 20;

/// A device of a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) credential: Credential,
    /// Where it begins.
    pub(super) line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    psk: Option<String>,
    oscore: Option<Oscore>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Oscore {
    secret: String,
    salt: String,
    sender_id: String,
}

/// Lines that cannot be imported, each with the reason and the remedy.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    pub(super) fn add(&mut self, line: usize, name: &str, fault: &str) {
        let name = escaped(name, 64);
        self.0.push(format!("line {line}, device {name}: {fault}"));
    }

    /// The first ones as an error, if there are any.
    ///
    /// # Errors
    /// Them.
    pub(super) fn check(self) -> Result<(), String> {
        let Self(mut faults) = self;
        if faults.is_empty() {
            return Ok(());
        }
        let more = faults.len().saturating_sub(MOST_FAULTS);
        faults.truncate(MOST_FAULTS);
        if more > 0 {
            faults.push(format!("{more} more"));
        }
        Err(format!("nothing was imported:\n{}", faults.join("\n")))
    }
}

/// Reads a file.
///
/// # Errors
/// All faults that it has, with their lines. None shows a secret.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, String> {
    let line_of = |offset: usize| {
        let before = text.bytes().take(offset);
        before.filter(|byte| *byte == b'\n').count() + 1
    };
    let tables: BTreeMap<String, Spanned<toml::Table>> =
        toml::from_str(text).map_err(|error| {
            let line = line_of(error.span().map_or(0, |span| span.start));
            format!(
                "nothing was imported:\nline {line}: it is no TOML, or no table of a device; write [NAME] and below it \
                 psk = \"KEY\", or oscore = {{ secret, salt, sender_id }}"
            )
        })?;
    let mut faults = Faults::default();
    let mut entries = Vec::new();
    for (name, table) in tables {
        let line = line_of(table.span().start);
        match entry(&name, table.into_inner()) {
            Ok(credential) => entries.push(Entry {
                name,
                credential,
                line,
            }),
            Err(fault) => faults.add(line, &name, &fault),
        }
    }
    faults.check()?;
    Ok(entries)
}

fn entry(name: &str, table: toml::Table) -> Result<Credential, String> {
    name::check(name)?;
    // The library's own text could show a value.
    let table: Table = table.try_into().map_err(|_| {
        "write psk = \"KEY\", or oscore = { secret = \"HEX\", salt = \"HEX\", sender_id = \"HEX\" }, and nothing else"
            .to_owned()
    })?;
    match table {
        Table {
            psk: Some(key),
            oscore: None,
        } => match PskKey::parse(&key) {
            Ok(_) => Ok(Credential::Psk(key.into())),
            Err(error) => Err(format!("psk: {error}")),
        },
        Table {
            psk: None,
            oscore: Some(oscore),
        } => {
            let keys = OscoreKeys {
                secret: oscore.secret.to_ascii_lowercase().into(),
                salt: oscore.salt.to_ascii_lowercase(),
                kid: oscore.sender_id.to_ascii_lowercase(),
            };
            match keys.parameters() {
                Some(parameters) if parameters.recipient_id != parameters.sender_id => {
                    Ok(Credential::Oscore(keys))
                }
                Some(_) => Err("oscore: sender_id 00 is the gateway's own; use another one".to_owned()),
                None => Err(
                    "oscore: secret, salt and sender_id are hexadecimal digits, the secret of 16 to 64 bytes, the \
                     sender_id of at most 7"
                        .to_owned(),
                ),
            }
        }
        _ => Err("it needs either psk or oscore".to_owned()),
    }
}

/// Makes a file of devices: what [`read`] reads.
pub(super) fn write<'a>(devices: impl Iterator<Item = (&'a str, &'a Credential)>) -> SecretString {
    let mut text = String::from(
        "# Devices of a CoMatrix gateway, with their secrets: keep this file from others.\n\
         # comatrix-gateway devices import FILE enrols them. A device with oscore must be at one gateway at a time.\n",
    );
    for (name, credential) in devices {
        // A name has no character that a key of TOML would have to quote, but a dot.
        text.push_str(&format!("\n[\"{name}\"]\n"));
        text.push_str(&match credential {
            // Of printable ASCII, in which only two characters have a meaning within quotes.
            Credential::Psk(key) => {
                let key = key
                    .expose_secret()
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"");
                format!("psk = \"{key}\"\n")
            }
            Credential::Oscore(keys) => format!(
                "oscore = {{ secret = \"{}\", salt = \"{}\", sender_id = \"{}\" }}\n",
                keys.secret.expose_secret(),
                keys.salt,
                keys.kid
            ),
        });
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
        # A fleet.\n\
        [kitchen]\n\
        psk = \"secret\\\"PSK\\\\12345\"\n\
        \n\
        [\"roof.1\"]\n\
        oscore = { secret = \"00112233445566778899AABBCCDDEEFF\", salt = \"\", sender_id = \"0A\" }\n";

    #[test]
    fn what_was_written_is_read_again() {
        let entries = read(FILE).unwrap();
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.line))
            .collect();
        assert_eq!(seen, [("kitchen", 2), ("roof.1", 5)]);
        let devices = entries
            .iter()
            .map(|entry| (&*entry.name, &entry.credential));
        let written = write(devices);
        let again = read(written.expose_secret()).unwrap();
        let prints = |entries: &[Entry]| -> Vec<String> {
            let prints = entries.iter().map(|entry| entry.credential.fingerprint());
            prints.collect()
        };
        assert_eq!(prints(&again), prints(&entries));
    }

    #[test]
    fn each_fault_has_its_line_and_none_shows_a_secret() {
        for (text, part) in [
            (
                "\n[kitchen]\npsk = \"short\"\n",
                "line 2, device kitchen: psk",
            ),
            ("[kitchen]\n", "line 1, device kitchen: it needs either"),
            (
                "[\"a b\"]\npsk = \"secretPSK1234567\"\n",
                "line 1, device a b",
            ),
            ("[k]\npsk = 7\n", "line 1, device k: write psk"),
            (
                "[k]\nkey = \"secretPSK1234567\"\n",
                "line 1, device k: write psk",
            ),
            ("[k]\npsk = \"secretPSK1234567\"\n[k]\n", "line 3"),
            ("[k]\npsk = \"secretPSK1234567\n", "line 2"),
            ("k = \"secretPSK1234567\"\n", "line 1"),
            (
                "[k]\noscore = { secret = \"secretPSK\", salt = \"\", sender_id = \"01\" }",
                "line 1, device k: oscore: secret",
            ),
            (
                "[k]\noscore = { secret = \"00112233445566778899aabbccddeeff\", salt = \"\", sender_id = \"00\" }",
                "gateway's own",
            ),
        ] {
            let error = read(text).map(|entries| entries.len()).unwrap_err();
            assert!(error.contains(part), "{part:?} is not in {error:?}");
            assert!(!error.contains("secretPSK"), "{error}");
        }
    }

    #[test]
    fn all_faults_are_reported_up_to_a_screen() {
        let lines: String = (0..100).map(|number| format!("[d{number}]\n")).collect();
        let error = read(&lines).map(|entries| entries.len()).unwrap_err();
        assert_eq!(error.lines().count(), 1 + MOST_FAULTS + 1, "{error}");
        assert!(error.ends_with("80 more"), "{error}");
    }
}
