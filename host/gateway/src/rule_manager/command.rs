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
const TIMEOUT: Duration = Duration::from_secs(120);

/// A command for a running gateway.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// The gateway's control socket [default: control.sock in $RUNTIME_DIRECTORY, else in comatrix of
    /// $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PATH", global = true)]
    control_socket: Option<PathBuf>,
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// List the rules with their paths, revisions, calls and failures
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace the component of a rule, until the gateway restarts or the rule's file is replaced
    Swap {
        /// The rule's name
        name: String,
        /// The component, with its manifest and signature beside it
        file: PathBuf,
        /// Never roll it back by itself, even if it fails on half of its calls
        #[arg(long)]
        keep: bool,
    },
    /// Read the configuration and every file that it names again, and apply all of it or nothing
    Reload,
    /// Return to the previous revision of a rule
    Rollback {
        /// The rule's name
        name: String,
    },
}

/// Runs a command. Exit status 0: done; 1: the gateway refused; 2: no response from a gateway.
#[must_use]
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn run(args: RulesArgs) -> ExitCode {
    let Some(socket) = args.control_socket.or_else(default_control_socket) else {
        eprintln!(
            "comatrix-gateway: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; name the gateway's socket with \
             --control-socket"
        );
        return ExitCode::from(2);
    };
    let (command, json) = match args.command {
        RulesCommand::List { json } => (ControlRequest::List {}, json),
        RulesCommand::Swap { name, file, keep } => {
            // The gateway has another working folder.
            let file = std::path::absolute(&file).unwrap_or(file);
            let rule = name;
            (ControlRequest::Swap { rule, file, keep }, false)
        }
        RulesCommand::Reload => (ControlRequest::Reload {}, false),
        RulesCommand::Rollback { name } => (ControlRequest::Rollback { rule: name }, false),
    };
    match send(&socket, &command) {
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
                "comatrix-gateway: no gateway at {}: {error}; is it running as this user, and with this \
                 --control-socket?",
                socket.display()
            );
            ExitCode::from(2)
        }
    }
}

/// Sends a command to the gateway at a socket and returns its reply.
///
/// # Errors
/// The system's error: no gateway listens, or no reply arrived.
pub fn send(socket: &Path, command: &ControlRequest) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut reply)?;
    Ok(serde_json::from_str(&reply)?)
}

/// A rule as text.
pub(crate) fn shown(rule: &RuleStatus) -> String {
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let serves = match (&rule.revision, rule.paused_seconds) {
        (None, _) => "out of service".to_owned(),
        (Some(revision), None) => format!("{} (revision {})", short(revision), rule.number),
        (Some(revision), Some(seconds)) => {
            format!(
                "{} is paused for {seconds} s: it fails too often",
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
        let kept = match rule.kept {
            true => ", to which only an operator returns",
            false => "",
        };
        lines.push(format!("  previous: {}{kept}", short(previous)));
    }
    if !rule.limits_hit.is_empty() {
        let hits: Vec<_> = rule
            .limits_hit
            .iter()
            .map(|(limit, count)| format!("{limit} {count} times"))
            .collect();
        lines.push(format!("  limits reached: {}", hits.join(", ")));
    }
    if let Some(failure) = &rule.failure {
        lines.push(format!("  last failure: {failure}"));
    }
    lines.join("\n")
}
