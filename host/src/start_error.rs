//! Why a gateway does not start.

use std::process::ExitCode;

/// Exit status for an invalid configuration. clap uses it for the command line too.
const BAD_CONFIGURATION: u8 = 2;

/// The gateway cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is invalid; the message says what to change.
    #[error("{0}")]
    Configuration(String),
    /// The system does not provide a resource.
    #[error("{0}")]
    System(String),
}

impl StartError {
    /// The process's exit status.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(_) => ExitCode::from(BAD_CONFIGURATION),
            Self::System(_) => ExitCode::FAILURE,
        }
    }
}
