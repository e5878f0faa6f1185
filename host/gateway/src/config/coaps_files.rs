//! `certificate`, `key` and `ca_file` of `[coaps]`.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use secure::dtls::{Authorities, ServerCertificate};
use store::file;

use super::error::ConfigError;
use super::file::CoapsTable;
use crate::coaps_certificates::CoapsCertificates;

/// Bytes of a file: eight certificates of 8 KiB, far more than devices take.
const MAX_BYTES: usize = 64 << 10;

/// Reads the files; none if no certificate is configured.
///
/// # Errors
/// [`ConfigError`]: one is missing, cannot be read or used, or others can read the key.
pub(super) fn certificates(table: &CoapsTable) -> Result<Option<CoapsCertificates>, ConfigError> {
    let (certificate, key) = match (&table.certificate, &table.key, &table.ca_file) {
        (Some(certificate), Some(key), _) => (certificate, key),
        (None, None, None) => return Ok(None),
        (Some(_), None, _) => {
            return Err(ConfigError::from(
                "[coaps] certificate is set without key; set key to the file with its private key"
                    .to_owned(),
            ));
        }
        (None, ..) => {
            return Err(ConfigError::from(
                "[coaps] key or ca_file is set without certificate; set certificate and key: devices check who the \
                 gateway is before they show their own certificates"
                    .to_owned(),
            ));
        }
    };
    let fault = |setting: &str, path: &Path, error: &dyn std::fmt::Display| {
        ConfigError(format!("[coaps] {setting} = {}: {error}", path.display()))
    };
    let own_text = read("certificate", certificate)?;
    let own_text = String::from_utf8_lossy(&own_text);
    let key_text = read_key(key)?;
    let own =
        ServerCertificate::from_pem(&own_text, key_text.expose_secret()).map_err(|error| {
            match error {
                secure::dtls::ServerCertificateError::Certificate => {
                    fault("certificate", certificate, &error)
                }
                _ => fault("key", key, &error),
            }
        })?;
    let authorities = match &table.ca_file {
        None => Authorities::default(),
        Some(path) => Authorities::from_pem(&read("ca_file", path)?)
            .map_err(|error| fault("ca_file", path, &error))?,
    };
    Ok(Some(CoapsCertificates { own, authorities }))
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    file::read(path, MAX_BYTES).map_err(|error| ConfigError(format!("[coaps] {setting}: {error}")))
}

fn read_key(path: &Path) -> Result<SecretString, ConfigError> {
    let key = file::read_private(path, MAX_BYTES, file::Readers::Group);
    let key = key.map_err(|error| ConfigError(format!("[coaps] key: {error}")))?;
    // Text that is not UTF-8 has no PEM; what is left of it is found to be no key.
    Ok(String::from_utf8(key).unwrap_or_default().into())
}
