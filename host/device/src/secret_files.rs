//! Reads passwords and tokens from files, standard input or variables, and writes the token of a login. I/O.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use secure::dtls::{PskKey, ServerCertificate, ServerCertificateError, Trust};
use store::file::{self, Readers};

use super::usage::UsageError;

/// Bytes of a password: Synapse accepts 512, others more.
const MAX_PASSWORD: usize = 4_096;

/// Bytes of an access token: the gateway's bound for option 256.
const MAX_TOKEN: usize = 1_024;

/// Bytes of a file with certificates or a key: eight of 4 KiB in base64 are less.
const MAX_PEM: usize = 65_536;

/// The password from the file, else from the value of COMATRIX_PASSWORD.
///
/// # Errors
/// Neither is there, or it is unreadable, empty, longer than 4096 bytes or not UTF-8.
pub(super) fn password(
    file: Option<&Path>,
    variable: Option<OsString>,
) -> Result<SecretString, UsageError> {
    let read = read(
        "password",
        "COMATRIX_PASSWORD",
        file,
        variable,
        MAX_PASSWORD,
    )?;
    read.ok_or(UsageError::NoPassword)
}

/// The access token from the file, else from the value of COMATRIX_TOKEN; none if there is neither.
///
/// # Errors
/// It is unreadable, empty, longer than 1024 bytes or not UTF-8.
pub(super) fn token(
    file: Option<&Path>,
    variable: Option<OsString>,
) -> Result<Option<SecretString>, UsageError> {
    read("access token", "COMATRIX_TOKEN", file, variable, MAX_TOKEN)
}

/// The pre-shared key from the file.
///
/// # Errors
/// Others can read the file, or what is in it cannot be a key.
pub(super) fn psk(path: &Path) -> Result<PskKey, UsageError> {
    let place = path.display().to_string();
    let bytes = match path.as_os_str() == "-" {
        true => {
            bounded(io::stdin().lock(), MAX_PASSWORD).map_err(|source| UsageError::ReadSecret {
                name: "pre-shared key",
                place: "standard input".to_owned(),
                source,
            })?
        }
        false => file::read_private(path, MAX_PASSWORD, Readers::Owner)?.into(),
    };
    // What is not UTF-8 is no key either.
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    PskKey::parse(text.trim()).map_err(|error| UsageError::Key { place, error })
}

/// The device's certificate and its private key.
///
/// # Errors
/// Others can read the key, or the two cannot be used.
pub(super) fn certificate(certificate: &Path, key: &Path) -> Result<ServerCertificate, UsageError> {
    let secret = file::read_private(key, MAX_PEM, Readers::Owner).map(Zeroizing::new)?;
    let public = file::read(certificate, MAX_PEM)?;
    // What is not UTF-8 is no PEM either.
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    ServerCertificate::from_pem(text(&public), text(&secret)).map_err(|error| {
        UsageError::Certificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            reason: match error {
                ServerCertificateError::Certificate => "the first has no X.509 certificate in PEM",
                ServerCertificateError::Mismatch => "the key belongs to another certificate",
                ServerCertificateError::Key | ServerCertificateError::Time(_) => {
                    "the second has no unencrypted private key of P-256 or P-384 in PEM"
                }
            },
        }
    })
}

/// The certificates that the device trusts, of a gateway at this host.
///
/// # Errors
/// The file cannot be read, or has no certificates.
pub(super) fn trust(path: &Path, host: &str) -> Result<Trust, UsageError> {
    let pem = file::read(path, MAX_PEM)?;
    Trust::from_pem(&pem, host).map_err(|error| UsageError::Ca {
        path: path.to_owned(),
        error,
    })
}

fn read(
    name: &'static str,
    variable_name: &str,
    file: Option<&Path>,
    variable: Option<OsString>,
    limit: usize,
) -> Result<Option<SecretString>, UsageError> {
    let (place, bytes) = match (file, variable) {
        (Some(path), _) if path.as_os_str() == "-" => (
            "standard input".to_owned(),
            bounded(io::stdin().lock(), limit),
        ),
        (Some(path), _) => (
            path.display().to_string(),
            File::open(path).and_then(|file| bounded(file, limit)),
        ),
        (None, Some(value)) => (
            variable_name.to_owned(),
            Ok(Zeroizing::new(value.into_encoded_bytes())),
        ),
        (None, None) => return Ok(None),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(source) => {
            return Err(UsageError::ReadSecret {
                name,
                place,
                source,
            });
        }
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(UsageError::SecretNotText { name, place });
    };
    // Editors add a newline to a file; spaces may belong to a password.
    let secret = text.trim_end_matches(['\r', '\n']);
    match secret.len() {
        0 => Err(UsageError::EmptySecret { name, place }),
        length if length > limit => Err(UsageError::LongSecret { name, place, limit }),
        _ => Ok(Some(SecretString::from(secret))),
    }
}

/// Reads two bytes more than the limit, for a line end.
fn bounded(source: impl Read, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 2));
    source.take(limit as u64 + 2).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file for a token. It is opened before the login, so that no login succeeds whose token cannot be saved.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    file: File,
}

impl TokenFile {
    /// Opens or creates the file, readable by its owner only (mode 0600). [`save`](Self::save) replaces its content.
    pub(super) fn open(path: &Path) -> Result<Self, UsageError> {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path);
        let restricted = opened.and_then(|file| {
            file.set_permissions(Permissions::from_mode(0o600))?;
            Ok(file)
        });
        match restricted {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
            }),
            Err(source) => Err(UsageError::SaveToken {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Replaces the content by the token and a newline.
    pub(super) fn save(&mut self, token: &SecretString) -> Result<(), UsageError> {
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(token.expose_secret().as_bytes())?;
            self.file.write_all(b"\n")
        };
        write().map_err(|source| UsageError::SaveToken {
            path: self.path.clone(),
            source,
        })
    }
}

impl Drop for TokenFile {
    /// Without a token, removes the empty file.
    fn drop(&mut self) {
        if self
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.len() == 0)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("comatrix-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the test");
        folder
    }

    #[test]
    fn a_file_overrides_the_variable_and_loses_only_its_line_end() {
        let folder = folder("read");
        let path = folder.join("password");
        fs::write(&path, " with spaces \r\n").expect("written");
        let secret = password(Some(&path), Some("other".into())).expect("read");
        assert_eq!(secret.expose_secret(), " with spaces ");
        let variable = password(None, Some("from the environment".into())).expect("read");
        assert_eq!(variable.expose_secret(), "from the environment");
        assert!(matches!(password(None, None), Err(UsageError::NoPassword)));
        assert!(matches!(token(None, None), Ok(None)));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn unusable_secrets_are_refused_without_being_printed() {
        let long = token(None, Some("t".repeat(1_025).into()))
            .expect_err("too long")
            .to_string();
        assert_eq!(
            long,
            "COMATRIX_TOKEN is longer than 1024 bytes; is it really the access token?"
        );
        assert!(token(None, Some("t".repeat(1_024).into())).is_ok());
        assert!(matches!(
            token(None, Some("\n".into())),
            Err(UsageError::EmptySecret { .. })
        ));
        let missing = password(Some(Path::new("/nowhere/password")), None)
            .expect_err("missing")
            .to_string();
        assert!(missing.contains("/nowhere/password"), "{missing}");
    }

    #[test]
    fn a_saved_token_is_readable_by_its_owner_only_and_an_unused_file_is_removed() {
        let folder = folder("save");
        let path = folder.join("token");
        fs::write(&path, "an older and longer token\n").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("set");
        TokenFile::open(&path)
            .expect("opened")
            .save(&SecretString::from("new"))
            .expect("saved");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new\n");
        assert_eq!(
            fs::metadata(&path).expect("there").permissions().mode() & 0o777,
            0o600
        );
        let unused = folder.join("unused");
        drop(TokenFile::open(&unused).expect("opened"));
        assert!(!unused.exists());
        fs::remove_dir_all(folder).expect("removed");
    }
}
