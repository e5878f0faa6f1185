//! Runs programs with their output on the terminal, and reports which one failed.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// Why a program failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("cannot start `{command}`: {source}")]
    Start { command: String, source: io::Error },
    /// It ran and failed; its messages are on the terminal.
    #[error("`{command}` ended with {status}")]
    Failed { command: String, status: ExitStatus },
}

/// Prints the next step.
pub fn announce(step: &str) {
    eprintln!("==> {step}");
}

/// The cargo that runs this, in the workspace.
pub fn cargo(workspace: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace);
    // `cargo run` describes this package in the environment; the next build is of others.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` with its output on this terminal.
pub fn run(command: &mut Command) -> Result<(), CommandError> {
    let status = command.status().map_err(|source| CommandError::Start {
        command: spelled(command),
        source,
    })?;
    if status.success() {
        return Ok(());
    }
    Err(CommandError::Failed {
        command: spelled(command),
        status,
    })
}

/// The command as one would type it.
fn spelled(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
