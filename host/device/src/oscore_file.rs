//! The file of `--oscore`: a security context, and beside it the sequence numbers that were reserved. I/O.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secure::hexadecimal;
use secure::oscore::{Context, IdContext, Identifier, MasterSecret, Parameters, ParametersError};
use store::file::{self, Readers};

use super::usage::UsageError;

/// Bytes of the file: seven short lines.
const MAX_BYTES: usize = 4_096;

/// A security context whose sequence numbers are stored before they are used, or one that ends with this value.
#[derive(Debug)]
pub(super) struct OscoreFile {
    pub(super) context: Context,
    stored: Option<Stored>,
}

#[derive(Debug)]
struct Stored {
    /// `NAME.seq` beside `NAME.oscore`: the end of the reserved numbers, in decimal digits, as libcoap writes it.
    sequence: PathBuf,
    /// Locked as long as this lives: two commands would use the same numbers.
    _lock: File,
}

impl OscoreFile {
    /// Reads the file that `comatrix-gateway devices add NAME --oscore` prints for libcoap.
    ///
    /// # Errors
    /// [`UsageError`]: others can read it, it is in use, or something in it cannot be used.
    pub(super) fn open(path: &Path) -> Result<Self, UsageError> {
        let wrong = |reason: String| UsageError::Oscore {
            path: path.to_owned(),
            reason,
        };
        let text = file::read_private(path, MAX_BYTES, Readers::Owner).map(Zeroizing::new)?;
        let text = std::str::from_utf8(&text).map_err(|_| wrong("it is no text".to_owned()))?;
        let parameters = parameters(text).map_err(wrong)?;
        let lock = File::open(path).map_err(|error| wrong(error.to_string()))?;
        lock.try_lock()
            .map_err(|_| wrong("another command uses it; wait until that one ends".to_owned()))?;
        let sequence = path.with_extension("seq");
        if sequence == *path {
            return Err(wrong("its name must not end with .seq".to_owned()));
        }
        let end = read_sequence(&sequence)?;
        let context = Context::new(&parameters, end).map_err(|error| wrong(error.to_string()))?;
        let stored = Stored {
            sequence,
            _lock: lock,
        };
        Ok(Self {
            context,
            stored: Some(stored),
        })
    }

    /// A context that a handshake has made: nobody uses it after this value, so nothing is stored.
    ///
    /// # Errors
    /// [`ParametersError`]: the gateway has given both sides one identifier.
    pub(super) fn of_handshake(parameters: &Parameters) -> Result<Self, ParametersError> {
        Ok(Self {
            context: Context::new(parameters, 0)?,
            stored: None,
        })
    }

    /// Stores a reservation of sequence numbers, if the context needs one.
    ///
    /// # Errors
    /// The system's: the context has no numbers to use.
    pub(super) fn reserve(&mut self) -> io::Result<()> {
        if let Some(end) = self.context.poll_reservation() {
            if let Some(Stored { sequence, .. }) = &self.stored {
                file::write_whole(sequence, 0o600, &[format!("{end}\n").as_bytes()])?;
            }
            self.context.reserved(end);
        }
        Ok(())
    }
}

fn read_sequence(path: &Path) -> Result<u64, UsageError> {
    let Some(digits) = file::read_if_there(path, MAX_BYTES)? else {
        return Ok(0);
    };
    let digits = String::from_utf8_lossy(&digits);
    digits.trim().parse().map_err(|_| UsageError::Oscore {
        path: path.to_owned(),
        reason: "it is no sequence number, and the numbers of this context are lost; get another context with \
                 `comatrix-gateway devices rotate`"
            .to_owned(),
    })
}

/// Lines as libcoap has them: `name,type,value`.
fn parameters(text: &str) -> Result<Parameters, String> {
    let (mut secret, mut salt, mut sender, mut recipient, mut id_context) =
        (None, Vec::new(), None, None, None);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // Values are secrets: an error has the number of the line and the name only.
        let mut parts = line.splitn(3, ',').map(str::trim);
        let (Some(name), Some(kind), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("line {number} is not name,type,value"));
        };
        let value = value.trim_matches('"');
        let unusable = || format!("line {number}: {name} cannot be used");
        let bytes = || match kind {
            "hex" => hexadecimal::bytes(value).ok_or_else(unusable),
            "ascii" => Ok(value.as_bytes().to_vec()),
            _ => Err(unusable()),
        };
        let identifier = || Identifier::new(&bytes()?).ok_or_else(unusable);
        match name {
            "master_secret" => {
                let parsed = MasterSecret::new(&Zeroizing::new(bytes()?));
                secret = Some(parsed.map_err(|error| format!("line {number}: {error}"))?);
            }
            "master_salt" => salt = bytes()?,
            "sender_id" => sender = Some(identifier()?),
            "recipient_id" => recipient = Some(identifier()?),
            "id_context" => id_context = Some(IdContext::new(&bytes()?).ok_or_else(unusable)?),
            // AES-CCM-16-64-128 and HKDF with SHA-256, the ones that there are here; the window is that of a server.
            "aead_alg" if value == "10" => {}
            "hkdf_alg" if value == "-10" => {}
            "replay_window" => {}
            _ => return Err(unusable()),
        }
    }
    let missing = |name: &str| format!("{name} is missing");
    Ok(Parameters {
        master_secret: secret.ok_or_else(|| missing("master_secret"))?,
        master_salt: salt,
        sender_id: sender.ok_or_else(|| missing("sender_id"))?,
        recipient_id: recipient.ok_or_else(|| missing("recipient_id"))?,
        id_context,
    })
}
