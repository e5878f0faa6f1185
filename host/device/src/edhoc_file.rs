//! The file of `--edhoc`: the device's private key, and the credentials of both sides. I/O.

use std::path::Path;

use secrecy::zeroize::Zeroizing;
use secure::edhoc::{Ccs, Identity};
use secure::hexadecimal;
use store::file::{self, Readers};

use super::oscore_file::OscoreFile;
use super::usage::UsageError;

/// Bytes of the file: three lines, and comments.
const MAX_BYTES: usize = 4_096;

/// What a device has for EDHOC, and the security context once it has made one.
#[derive(Debug)]
pub(super) struct EdhocFile {
    pub(super) identity: Identity,
    pub(super) gateway: Ccs,
    pub(super) context: Option<OscoreFile>,
}

impl EdhocFile {
    /// Reads lines `name,hex,"digits"` with the names `private_key`, `credential` and `gateway`.
    ///
    /// # Errors
    /// [`UsageError`]: others can read it, or something in it cannot be used.
    pub(super) fn open(path: &Path) -> Result<Self, UsageError> {
        let wrong = |reason: String| UsageError::Edhoc {
            path: path.to_owned(),
            reason,
        };
        let text = file::read_private(path, MAX_BYTES, Readers::Owner).map(Zeroizing::new)?;
        let text = std::str::from_utf8(&text).map_err(|_| wrong("it is no text".to_owned()))?;
        let (identity, gateway) = parts(text).map_err(wrong)?;
        Ok(Self {
            identity,
            gateway,
            context: None,
        })
    }
}

fn parts(text: &str) -> Result<(Identity, Ccs), String> {
    let (mut private, mut own, mut gateway) = (None, None, None);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // One value is a secret: an error has the number of the line and the name only.
        let mut words = line.splitn(3, ',').map(str::trim);
        let (Some(name), Some("hex"), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err(format!("line {number} is not name,hex,\"digits\""));
        };
        let unusable = || format!("line {number}: {name} cannot be used");
        let bytes = hexadecimal::bytes(value.trim_matches('"')).map(Zeroizing::new);
        let bytes = bytes.ok_or_else(unusable)?;
        let credential = || {
            let read = Ccs::from_bytes(&bytes);
            read.map_err(|error| format!("line {number}: {name}: {error}"))
        };
        match name {
            "private_key" => {
                let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| unusable())?;
                private = Some(Zeroizing::new(key));
            }
            "credential" => own = Some(credential()?),
            "gateway" => gateway = Some(credential()?),
            _ => return Err(unusable()),
        }
    }
    let missing = |name: &str| format!("{name} is missing");
    let private = private.ok_or_else(|| missing("private_key"))?;
    let own = own.ok_or_else(|| missing("credential"))?;
    let identity = Identity::with_ccs(&private, own).map_err(|error| error.to_string())?;
    Ok((identity, gateway.ok_or_else(|| missing("gateway"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_key_of_another_credential_or_without_a_part_is_refused_without_its_key() {
        let device = Identity::new(&[3; 32], &[3]).expect("a key");
        let other = Identity::new(&[4; 32], &[4]).expect("a key");
        let credential = |identity: &Identity| hexadecimal::digits(identity.ccs().as_bytes());
        let file = |private: &str, own: &Identity| {
            format!(
                "# kitchen\nprivate_key,hex,\"{private}\"\ncredential,hex,\"{}\"\ngateway,hex,\"{}\"\n",
                credential(own),
                credential(&other)
            )
        };
        let good = file(&"03".repeat(32), &device);
        assert!(parts(&good).is_ok());
        let without = |name: &str| {
            let lines: Vec<&str> = good
                .lines()
                .filter(|line| !line.starts_with(name))
                .collect();
            lines.join("\n")
        };
        for (text, part) in [
            (file(&"03".repeat(32), &other), "that of the credential"),
            (file("0303", &device), "line 2: private_key cannot be used"),
            (without("private_key"), "private_key is missing"),
            (without("credential"), "credential is missing"),
            (without("gateway"), "gateway is missing"),
            (format!("{good}nonsense"), "line 5 is not name,hex"),
            (format!("{good}gateway,hex,a0"), "line 5: gateway: "),
        ] {
            let error = parts(&text).expect_err(part);
            assert!(error.contains(part) && !error.contains("0303"), "{error}");
        }
    }
}
