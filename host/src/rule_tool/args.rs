//! The command line of `comatrix-gateway rule`, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::build::BuildArgs;
use super::new::NewArgs;
use runtime::{Engine, NativeTarget, RuleLimits};

/// Printed by `--help` below the commands.
const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  a gateway would not accept the rule: the message has the reason
  2  the command line or a file is wrong";

/// `comatrix-gateway rule …`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RuleArgs {
    #[command(subcommand)]
    pub(super) command: RuleCommand,
}

/// One command per step, from an empty folder to a signed rule.
#[derive(Debug, Subcommand)]
pub(super) enum RuleCommand {
    /// Create a crate that builds and passes its test
    New(NewArgs),
    /// Build a rule's crate into NAME.wasm
    Build(BuildArgs),
    /// Create a key pair: NAME.key signs, NAME.pub verifies
    Keygen(KeygenArgs),
    /// Write NAME.rule.json for NAME.wasm, with its digest, needs and vectors
    Manifest(ManifestArgs),
    /// Sign a manifest, and with it the component that it names
    Sign(SignArgs),
    /// Check a component against its manifest, and the manifest against its signature
    Verify(VerifyArgs),
    /// Check whether a gateway would accept a component, and print the grants that it needs
    Check(CheckArgs),
    /// Run a rule on one request, and print each effect
    Run(RunArgs),
    /// Compile a component to native code for a gateway without a compiler
    Compile(CompileArgs),
}

/// `keygen`.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// Path of both files, without extension
    #[arg(value_name = "NAME")]
    pub(super) name: PathBuf,
}

/// Arguments of all commands that run a rule.
#[derive(Debug, Args)]
pub(super) struct ComponentArgs {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(super) component: PathBuf,

    /// A setting of the rule, as in [rule.config]; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) config: Vec<String>,

    /// A header that the rule may send, as in [[rule]] allow_headers; repeatable
    #[arg(long, value_name = "NAME")]
    pub(super) allow_header: Vec<String>,

    #[command(flatten)]
    pub(super) size: SizeArgs,
}

/// The size limits of a rule, as in [rule.limits]. They decide which engine runs it.
#[derive(Debug, Args)]
pub(super) struct SizeArgs {
    /// Maximum bytes of each linear memory [default: 2 MiB]
    #[arg(long, value_name = "BYTES")]
    memory: Option<usize>,

    /// Maximum number of linear memories [default: 1]
    #[arg(long, value_name = "N")]
    memories: Option<usize>,
}

impl SizeArgs {
    /// The default limits, with this size.
    pub(super) fn limits(&self) -> RuleLimits {
        let default = RuleLimits::default();
        RuleLimits {
            memory: self
                .memory
                .unwrap_or(default.memory)
                .min(Engine::MAX_MEMORY),
            memories: self
                .memories
                .unwrap_or(default.memories)
                .min(Engine::MAX_MEMORIES),
            ..default
        }
    }
}

/// `manifest`.
#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
    #[command(flatten)]
    pub(super) component: ComponentArgs,

    /// The version, for people [default: the revision]
    #[arg(long, value_name = "TEXT")]
    pub(super) version: Option<String>,

    /// The revision, a number that grows with each release
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) revision: u64,

    /// The lowest revision that a rollback from this one may restore
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) min_revision: u64,

    /// Folder with one folder per vector
    #[arg(long, value_name = "DIR")]
    pub(super) vectors: Option<PathBuf>,
}

/// `sign`.
#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The private key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,

    /// The manifest. Its component must be in the same folder; for NAME.cwasm.rule.json, the native code NAME.cwasm
    #[arg(value_name = "NAME.rule.json")]
    pub(super) manifest: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Folder with the .pub files of trusted signers
    #[arg(long, value_name = "DIR")]
    pub(super) keys: PathBuf,

    /// The component, or its native code. Manifest and signature must be in the same folder
    #[arg(value_name = "FILE.wasm")]
    pub(super) component: PathBuf,
}

/// `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) component: ComponentArgs,

    /// Folder with one folder per vector, in addition to the manifest's vectors
    #[arg(long, value_name = "DIR")]
    pub(super) vectors: Option<PathBuf>,
}

/// `run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  comatrix-gateway rule run comatrix.wasm \\
    --request 'PUT /send/!r:example.org cf=60 payload={\"msgtype\": \"m.text\", \"body\": \"21.5 C\"}' \\
    --upstream-response '200 {\"event_id\": \"$x\"}'")]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) component: ComponentArgs,

    /// METHOD PATH [cf=N] [accept=N] [observe=0] [payload=REST]. The path is percent-encoded. The payload is literal
    /// for cf=0 and cf=50, otherwise hexadecimal, or JSON that is sent as CBOR
    #[arg(long, value_name = "TEXT")]
    pub(super) request: String,

    /// Path and query of a Proxy-Uri, percent-encoded, for example /9/!r:h/m.room.message/7
    #[arg(long, value_name = "PATH")]
    pub(super) proxy_uri: Option<String>,

    /// The response to the next call, or to the next poll of an observation: STATUS [HEADER=VALUE]… [BODY], or
    /// error:REASON [sent]; repeatable
    #[arg(long, value_name = "TEXT")]
    pub(super) upstream_response: Vec<String>,

    /// The gateway's clock in Unix seconds [default: a clock that is not set]
    #[arg(long, value_name = "SECONDS")]
    pub(super) now: Option<u64>,

    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// `compile`.
#[derive(Debug, Args)]
pub(super) struct CompileArgs {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(super) component: PathBuf,

    /// The gateway's processor: x86_64, aarch64, or with 32 bits armv7, arm, i686; or a target triple of Rust [default:
    /// this machine's]
    #[arg(long, value_name = "TARGET")]
    pub(super) target: Option<NativeTarget>,

    /// Path of the native code; its manifest is written beside it [default: FILE.cwasm]
    #[arg(short, long, value_name = "FILE.cwasm")]
    pub(super) output: Option<PathBuf>,

    #[command(flatten)]
    pub(super) size: SizeArgs,
}
