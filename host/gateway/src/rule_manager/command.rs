//! `comatrix-gateway rules …`: an operator's commands to a running gateway.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::config::default_control_socket;

use super::protocol::{ControlRequest, MAX_LINE, Reply, RuleStatus};

/// A large component compiles for seconds on a small router.
const PATIENCE: Duration = Duration::from_secs(120);

/// What to tell a running gateway.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// The gateway's control socket [default: control.sock in $RUNTIME_DIRECTORY, else in comatrix of $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PATH", global = true)]
    control_socket: Option<PathBuf>,
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Show which rules serve, where, and how they fare
    List {
        /// As one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Let another component serve as a rule, until the gateway starts again or the rule's file is replaced
    Swap {
        /// The rule's name
        name: String,
        /// The component, with its manifest and signature beside it
        file: PathBuf,
    },
    /// Let the gateway read its configuration again, with every file that it names, whole or not at all
    Reload,
    /// Let the revision before the current one serve again
    Rollback {
        /// The rule's name
        name: String,
    },
}

/// Runs a command. Exit status 0: done; 1: the gateway refused; 2: it was not reached.
#[must_use]
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn run(args: RulesArgs) -> ExitCode {
    let Some(socket) = args.control_socket.or_else(default_control_socket) else {
        eprintln!(
            "comatrix-gateway: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; name the gateway's socket with --control-socket"
        );
        return ExitCode::from(2);
    };
    let (command, json) = match args.command {
        RulesCommand::List { json } => (ControlRequest::List {}, json),
        RulesCommand::Swap { name, file } => {
            // The gateway has a working folder of its own.
            let file = std::path::absolute(&file).unwrap_or(file);
            (ControlRequest::Swap { rule: name, file }, false)
        }
        RulesCommand::Reload => (ControlRequest::Reload {}, false),
        RulesCommand::Rollback { name } => (ControlRequest::Rollback { rule: name }, false),
    };
    match ask(&socket, &command) {
        Ok(Reply::Done(done)) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Ok(Reply::Refused(reason)) => {
            eprintln!("comatrix-gateway: {reason}");
            ExitCode::FAILURE
        }
        Ok(Reply::Rules(rules)) => {
            let text = if json {
                serde_json::to_string(&rules).unwrap_or_default()
            } else {
                rules.iter().map(shown).collect::<Vec<_>>().join("\n")
            };
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!(
                "comatrix-gateway: no gateway at {}: {error}; is it running as this user, and with this --control-socket?",
                socket.display()
            );
            ExitCode::from(2)
        }
    }
}

/// Asks the gateway behind a socket.
///
/// # Errors
/// The system's: nobody listens, or the answer did not come.
pub fn ask(socket: &Path, command: &ControlRequest) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// A rule in a few lines.
pub(crate) fn shown(rule: &RuleStatus) -> String {
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let serves = match (&rule.revision, rule.paused_seconds) {
        (None, _) => "out of service".to_owned(),
        (Some(revision), None) => format!("{} (revision {})", short(revision), rule.number),
        (Some(revision), Some(seconds)) => {
            format!(
                "{} paused for {seconds} s: it fails too often",
                short(revision)
            )
        }
    };
    let mut lines = vec![format!("{} at {}: {serves}", rule.name, rule.mount)];
    if rule.revision.is_some() {
        let signer = rule.signer.as_deref().unwrap_or("nobody");
        lines.push(format!(
            "  from {}, signed by {signer}, {} s ago; {} calls, {} waiting for a homeserver",
            rule.source, rule.age_seconds, rule.calls, rule.in_flight
        ));
    }
    if let Some(previous) = &rule.previous {
        lines.push(format!("  before it: {}", short(previous)));
    }
    if !rule.limits_hit.is_empty() {
        let hits: Vec<_> = rule
            .limits_hit
            .iter()
            .map(|(limit, count)| format!("{limit} {count} times"))
            .collect();
        lines.push(format!("  limits hit: {}", hits.join(", ")));
    }
    if let Some(failure) = &rule.failure {
        lines.push(format!("  last failure: {failure}"));
    }
    lines.join("\n")
}
