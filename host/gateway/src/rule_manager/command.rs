//! `comatrix-gateway rules …`: an operator's commands to a running gateway.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::protocol::{ControlRequest, RuleStatus};
use crate::control::client::{self, SocketArgs};
use crate::control::{Command, Reply};

/// A command for a running gateway.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(flatten)]
    socket: SocketArgs,
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
pub fn run(args: RulesArgs) -> ExitCode {
    let (request, json) = match args.command {
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
    client::run(args.socket, &Command::Rules(request), |reply| match reply {
        Reply::Rules(rules) if json => serde_json::to_string(&rules).unwrap_or_default(),
        Reply::Rules(rules) => rules.iter().map(shown).collect::<Vec<_>>().join("\n"),
        Reply::Done(done) => done,
        _ => String::new(),
    })
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
