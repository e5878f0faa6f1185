//! The source of a new configuration while the gateway runs.

use crate::config::{ConfigError, Settings};

/// Reads the command line, the configuration file and the files of secrets again.
pub struct ConfigReloader {
    /// Name of the configuration, for messages.
    pub source: String,
    /// Reads all of it.
    ///
    /// # Errors
    /// [`ConfigError`]: the configuration cannot work, or needs a restart.
    pub read: Box<dyn Fn() -> Result<Settings, ConfigError> + Send>,
    /// Called with settings once they serve: applies the rest of them, such as the log level.
    pub applied: Box<dyn Fn(&Settings) + Send>,
}
