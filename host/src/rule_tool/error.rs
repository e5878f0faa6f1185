//! Why a command ends without success, and with which exit code.

use std::io;
use std::path::PathBuf;

use super::build::BuildCommandError;
use super::new::NewError;
use runtime::{
    ActivationError, CompileError, EngineError, KeyError, ManifestError, PackageError,
    SelfTestError, Trap, TrustError,
};
use store::file::FileError;

/// Exit code where the rule is not fit.
const NOT_FIT: u8 = 1;
/// Exit code of a wrong command line or file; clap's too.
const USAGE: u8 = 2;

/// What ends a command. Messages never contain a secret.
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
    #[error("the key {} is open to other users; run `chmod 600` on it, or make a new one", .0.display())]
    OpenKey(PathBuf),
    #[error("{} is already there; choose another name, or remove it if nothing signed with it is in use", .0.display())]
    KeyExists(PathBuf),
    #[error("--config {0}: a setting is KEY=VALUE, each key once")]
    Setting(String),
    #[error("the name of {} {fault}; rename the file", path.display())]
    Name { path: PathBuf, fault: String },
    #[error(
        "give the gateway's processor with --target; this one is none of those that rules are compiled for"
    )]
    NoTarget,
    #[error("--vectors: {0}")]
    Vectors(String),
    #[error(
        "--request: {0}; write METHOD PATH [cf=N] [accept=N] [payload=REST], as in 'GET /time' or 'PUT /send/!r:h cf=60 payload={{\"msgtype\": \"m.text\", \"body\": \"hi\"}}'"
    )]
    Request(String),
    #[error(
        "--proxy-uri: {0}; write path and query after the homeserver's name, as in /9/!r:h/m.room.message/7"
    )]
    ProxyUri(String),
    #[error(
        "--upstream-response \"{0}\": write STATUS [HEADER=VALUE]… [BODY], as in '200 {{\"event_id\": \"$x\"}}', or error:REASON [sent], as in error:unreachable"
    )]
    Response(String),
    #[error("call {0} gets no answer; give one more --upstream-response to see what follows")]
    NoResponse(usize),
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Build(#[from] BuildCommandError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),

    #[error("{} is a core module, as cargo builds it; make a component of it with `comatrix-gateway rule build`", .0.display())]
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
    #[error("the rule broke its contract: {0}; the gateway would answer 5.00")]
    Contract(String),
    #[error("{failed} of {all} checks failed; the lines that begin with FAIL say what to mend")]
    Checks { failed: usize, all: usize },
}

impl ToolError {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            // A file that cannot be read says nothing of the rule.
            Self::Package(PackageError::File { .. }) => USAGE,
            Self::CoreModule(_)
            | Self::Compile(_)
            | Self::Activation(_)
            | Self::Package(_)
            | Self::Manifest { .. }
            | Self::Smoke(_)
            | Self::Trap(_)
            | Self::Contract(_)
            | Self::Checks { .. } => NOT_FIT,
            _ => USAGE,
        }
    }
}
