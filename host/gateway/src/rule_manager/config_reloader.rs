//! Where another configuration comes from while the gateway runs.

use crate::config::{ConfigError, Settings};

/// Reads command line, file and files of secrets anew.
pub struct ConfigReloader {
    /// For people: what is read.
    pub source: String,
    /// Reads all of it.
    ///
    /// # Errors
    /// [`ConfigError`]: it cannot work, or not without a restart.
    pub read: Box<dyn Fn() -> Result<Settings, ConfigError> + Send>,
    /// Hears of settings once they serve: what is no part of the service follows, such as the log's level.
    pub taken: Box<dyn Fn(&Settings) + Send>,
}
