//! The command line of `comatrix-gateway rule`, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::build::BuildArgs;
use super::new::NewArgs;
use runtime::{Engine, NativeTarget, RuleLimits};

/// What `--help` says below the commands.
const EXIT_CODES: &str = "\
Exit codes:
  0  done, and the rule is fit
  1  the rule is not fit: the message says what to mend
  2  the command line or a file is wrong";

/// `comatrix-gateway rule …`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RuleArgs {
    #[command(subcommand)]
    pub(super) command: RuleCommand,
}

/// One command per step of a rule's life on the desk.
#[derive(Debug, Subcommand)]
pub(super) enum RuleCommand {
    /// Make a crate that builds and passes its test
    New(NewArgs),
    /// Build a rule's crate into NAME.wasm
    Build(BuildArgs),
    /// Make a key pair: NAME.key, which signs, and NAME.pub, which verifies
    Keygen(KeygenArgs),
    /// Write NAME.rule.json for NAME.wasm: its digest, needs and vectors
    Manifest(ManifestArgs),
    /// Sign a manifest, and so the component that it names
    Sign(SignArgs),
    /// Check a component against its manifest, and that against its signature
    Verify(VerifyArgs),
    /// Say whether a gateway would take a component, and what it asks for
    Check(CheckArgs),
    /// Let a rule translate one request, and print each effect
    Run(RunArgs),
    /// Compile a component into native code for a gateway without a compiler
    Compile(CompileArgs),
}

/// `keygen`.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// Path of both files without their extensions
    #[arg(value_name = "NAME")]
    pub(super) name: PathBuf,
}

/// What is common to the commands that run a rule.
#[derive(Debug, Args)]
pub(super) struct ComponentArgs {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(super) component: PathBuf,

    /// A setting of the rule, as in [rule.config]; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) config: Vec<String>,

    #[command(flatten)]
    pub(super) size: SizeArgs,
}

/// How large a rule may be, as in [rule.limits]. It decides which engine runs it.
#[derive(Debug, Args)]
pub(super) struct SizeArgs {
    /// Bytes of each linear memory [default: 2 MiB]
    #[arg(long, value_name = "BYTES")]
    memory: Option<usize>,

    /// Linear memories [default: 1]
    #[arg(long, value_name = "N")]
    memories: Option<usize>,
}

impl SizeArgs {
    /// The default limits, at this size.
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

    /// The release, for people [default: the revision]
    #[arg(long, value_name = "TEXT")]
    pub(super) version: Option<String>,

    /// The release, as a number that grows
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) revision: u64,

    /// The revision that a rollback from this one may not go below
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) min_revision: u64,

    /// Folder with a folder per vector
    #[arg(long, value_name = "DIR")]
    pub(super) vectors: Option<PathBuf>,
}

/// `sign`.
#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The private key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,

    /// The manifest; its component, or the native code NAME.cwasm of NAME.cwasm.rule.json, stands beside it
    #[arg(value_name = "NAME.rule.json")]
    pub(super) manifest: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Folder with the .pub files of those you trust
    #[arg(long, value_name = "DIR")]
    pub(super) keys: PathBuf,

    /// The component, or its native code; manifest and signature stand beside it
    #[arg(value_name = "FILE.wasm")]
    pub(super) component: PathBuf,
}

/// `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) component: ComponentArgs,

    /// Folder with a folder per vector, besides those of the manifest
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

    /// METHOD PATH [cf=N] [accept=N] [observe=0] [payload=REST]; the path percent-encoded; the payload as it is for cf=0 and
    /// cf=50, else in hexadecimal, or as JSON, which becomes CBOR
    #[arg(long, value_name = "TEXT")]
    pub(super) request: String,

    /// Path and query of a Proxy-Uri, percent-encoded, as in /9/!r:h/m.room.message/7
    #[arg(long, value_name = "PATH")]
    pub(super) proxy_uri: Option<String>,

    /// What the next call, or the next poll of an observation, gets: STATUS [HEADER=VALUE]… [BODY], or error:REASON [sent]; repeatable
    #[arg(long, value_name = "TEXT")]
    pub(super) upstream_response: Vec<String>,

    /// The gateway's clock in Unix seconds; absent: not set
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

    /// The gateway's processor: x86_64, aarch64, or for 32 bits armv7, arm, i686; a triple of Rust's does too [default: this one's]
    #[arg(long, value_name = "TARGET")]
    pub(super) target: Option<NativeTarget>,

    /// Where the native code goes, and its manifest beside it [default: FILE.cwasm]
    #[arg(short, long, value_name = "FILE.cwasm")]
    pub(super) output: Option<PathBuf>,

    #[command(flatten)]
    pub(super) size: SizeArgs,
}
