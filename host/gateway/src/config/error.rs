//! The error of a configuration that cannot work.

/// A fault of the configuration, with the remedy. The gateway exits with status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(super) String);

impl From<String> for ConfigError {
    fn from(sentence: String) -> Self {
        Self(sentence)
    }
}
