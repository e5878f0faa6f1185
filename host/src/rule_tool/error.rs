//! Why a command fails, and its exit code.

use std::io;
use std::path::PathBuf;

use super::build::BuildCommandError;
use super::new::NewError;
use contract::NotGrantable;
use gateway::request::GatewayError;
use runtime::exchange::ExchangeError;
use runtime::{
    ActivationError, CompileError, EngineError, KeyError, ManifestError, ObserverError,
    PackageError, SelfTestError, Trap, TrustError,
};
use store::file::FileError;

/// Exit code for a rule that a gateway would not accept.
const NOT_ACCEPTED: u8 = 1;
/// Exit code for a wrong command line or file; clap uses the same.
const USAGE: u8 = 2;

/// Why a command fails. Messages never contain a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum ToolError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the key {}: {fault}", path.display())]
    Key { path: PathBuf, fault: KeyError },
    #[error("other users can read the key {}; run `chmod 600` on it, or create a new one", .0.display())]
    OpenKey(PathBuf),
    #[error(
        "{} exists already; choose another name, or remove it if nothing that it has signed is in use", .0.display()
    )]
    KeyExists(PathBuf),
    #[error("--config {0}: write KEY=VALUE, each key once")]
    Setting(String),
    #[error("--allow-header {0}: {1}")]
    Header(String, NotGrantable),
    #[error("the name of {} {fault}; rename the file", path.display())]
    Name { path: PathBuf, fault: String },
    #[error(
        "this machine's processor is not supported for native code; set the gateway's processor with --target"
    )]
    NoTarget,
    #[error("--vectors: {0}")]
    Vectors(String),
    #[error(
        "--request: {0}; write METHOD PATH [cf=N] [accept=N] [payload=REST], for example 'GET /time' or \
         'PUT /send/!r:h cf=60 payload={{\"msgtype\": \"m.text\", \"body\": \"hi\"}}'"
    )]
    Request(String),
    #[error(
        "--proxy-uri: {0}; write the path and query after the homeserver's name, for example /9/!r:h/m.room.message/7"
    )]
    ProxyUri(String),
    #[error(
        "--upstream-response \"{0}\": write STATUS [HEADER=VALUE]… [BODY], for example \
         '200 {{\"event_id\": \"$x\"}}', or error:REASON [sent], for example error:unreachable"
    )]
    Response(String),
    #[error("call {0} has no response; add one more --upstream-response")]
    NoResponse(usize),
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Build(#[from] BuildCommandError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),

    #[error(
        "{} is a core module, as cargo builds it; build the component with `comatrix-gateway rule build`", .0.display()
    )]
    CoreModule(PathBuf),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Activation(#[from] ActivationError),
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error("{}: {fault}", path.display())]
    Manifest { path: PathBuf, fault: ManifestError },
    #[error(transparent)]
    Smoke(#[from] SelfTestError),
    #[error(transparent)]
    Trap(#[from] Trap),
    #[error("the rule broke its contract: {0}; the device would get 5.00")]
    Contract(String),
    #[error("{failed} of {all} checks failed; the lines that start with FAIL have the reasons")]
    Checks { failed: usize, all: usize },
}

impl ToolError {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            // An unreadable file says nothing about the rule.
            Self::Package(PackageError::File { .. }) => USAGE,
            Self::CoreModule(_)
            | Self::Compile(_)
            | Self::Activation(_)
            | Self::Package(_)
            | Self::Manifest { .. }
            | Self::Smoke(_)
            | Self::Trap(_)
            | Self::Contract(_)
            | Self::Checks { .. } => NOT_ACCEPTED,
            _ => USAGE,
        }
    }
}

impl From<ExchangeError> for ToolError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Trapped(trap) => Self::from(trap),
            ExchangeError::Contract(violation) => Self::Contract(violation.to_string()),
        }
    }
}

impl From<ObserverError> for ToolError {
    fn from(error: ObserverError) -> Self {
        match error {
            ObserverError::Trapped(trap) => Self::from(trap),
            other => Self::Contract(other.to_string()),
        }
    }
}

impl From<GatewayError> for ToolError {
    fn from(error: GatewayError) -> Self {
        Self::Contract(match error {
            // Not its diagnostic, but the fault that the gateway logs.
            GatewayError::RuleBrokeContract(fault) => fault.into_owned(),
            other => other.to_string(),
        })
    }
}
