//! The file of `devices import` and `export`: devices with their secrets, in TOML.
//!
//! ```toml
//! [kitchen]
//! psk = "secretPSK1234567"
//!
//! [roof]
//! oscore = { secret = "00112233445566778899aabbccddeeff", salt = "0011223344556677", sender_id = "01" }
//!
//! [shed]
//! certificate = { sha256 = "…", expires = 1830297600 }   # 32 bytes; seconds since 1970
//!
//! [cellar]
//! edhoc = "a2…"   # its CCS
//! ```

use std::collections::BTreeMap;

use contract::escaping::escaped;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use toml::Spanned;

use secure::dtls::PskKey;
use secure::edhoc::Ccs;
use secure::hexadecimal;

use super::credential::{Credential, OscoreKeys};
use super::edhoc_keys::EdhocKeys;
use super::name;
use super::packed::{Entry, Packed};
use super::pinned::Pinned;
use crate::daemon::heap;

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;

/// Faults that are reported at a time: a screen.
const MOST_FAULTS: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    psk: Option<String>,
    oscore: Option<Oscore>,
    certificate: Option<Certificate>,
    edhoc: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    sha256: String,
    expires: u64,
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
    // The parser takes 4.5 KB for each device, in small pieces. If what stays of a device lay between them, it would
    // keep their pages: 27 MB of 10,000 devices. So it is made when the parser is done.
    let packed = pack(text)?;
    heap::release();
    packed.entries()
}

fn pack(text: &str) -> Result<Packed, String> {
    // Counted once: a file has up to 20,000 devices, and the line of each is asked for.
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
    let line_of = |offset: usize| ends.partition_point(|end| *end < offset) + 1;
    let tables: BTreeMap<String, Spanned<toml::Table>> =
        toml::from_str(text).map_err(|error| {
            let line = line_of(error.span().map_or(0, |span| span.start));
            format!(
                "nothing was imported:\nline {line}: it is no TOML, or no table of a device; write [NAME] and below it \
                 psk = \"KEY\", or oscore = {{ secret, salt, sender_id }}"
            )
        })?;
    let mut faults = Faults::default();
    let mut packed = Packed::with_capacity(text.len(), tables.len());
    for (name, table) in tables {
        let line = line_of(table.span().start);
        match entry(&name, table.into_inner()) {
            Ok(credential) => packed.push(name, credential, line),
            Err(fault) => faults.add(line, &name, &fault),
        }
    }
    faults.check()?;
    Ok(packed)
}

fn entry(name: &str, table: toml::Table) -> Result<Credential, String> {
    name::check(name)?;
    // The library's own text could show a value.
    let table: Table = table.try_into().map_err(|_| {
        "write psk = \"KEY\", oscore = { secret = \"HEX\", salt = \"HEX\", sender_id = \"HEX\" }, \
         certificate = { sha256 = \"HEX\", expires = SECONDS }, or edhoc = \"CCS\", and nothing else"
            .to_owned()
    })?;
    match (table.psk, table.oscore, table.certificate, table.edhoc) {
        (Some(key), None, None, None) => match PskKey::parse(&key) {
            Ok(_) => Ok(Credential::Psk(key.into())),
            Err(error) => Err(format!("psk: {error}")),
        },
        (None, Some(oscore), None, None) => context(oscore),
        (None, None, Some(Certificate { sha256, expires }), None) => {
            let digest = hexadecimal::bytes(&sha256).and_then(|digest| digest.try_into().ok());
            let fingerprint = digest.ok_or(
                "certificate: sha256 has 64 hexadecimal digits, of the certificate in DER",
            )?;
            Ok(Credential::Certificate(Pinned {
                fingerprint,
                expires,
            }))
        }
        (None, None, None, Some(ccs)) => {
            let ccs = hexadecimal::bytes(&ccs).ok_or("edhoc: the CCS is in hexadecimal digits")?;
            let ccs = Ccs::from_bytes(&ccs).map_err(|error| format!("edhoc: {error}"))?;
            Ok(Credential::Edhoc(EdhocKeys { ccs, context: None }))
        }
        _ => Err("it needs one of psk, oscore, certificate and edhoc".to_owned()),
    }
}

fn context(oscore: Oscore) -> Result<Credential, String> {
    let keys = OscoreKeys {
        secret: oscore.secret.to_ascii_lowercase().into(),
        salt: oscore.salt.to_ascii_lowercase(),
        kid: oscore.sender_id.to_ascii_lowercase(),
    };
    // Identifiers that the gateway chooses, its own and those of EDHOC, begin with a zero byte.
    match keys.parameters() {
        Some(_) if keys.kid.starts_with("00") => {
            Err("oscore: sender_id begins with 00, as the gateway's own do; use another one".to_owned())
        }
        Some(_) => Ok(Credential::Oscore(keys)),
        None => Err(
            "oscore: secret, salt and sender_id are hexadecimal digits, the secret of 16 to 64 bytes, the sender_id of \
             at most 7"
                .to_owned(),
        ),
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
            Credential::Certificate(pinned) => format!(
                "certificate = {{ sha256 = \"{}\", expires = {} }}\n",
                hexadecimal::digits(&pinned.fingerprint),
                pinned.expires
            ),
            Credential::Edhoc(keys) => {
                format!("edhoc = \"{}\"\n", hexadecimal::digits(keys.ccs.as_bytes()))
            }
        });
    }
    text.into()
}
