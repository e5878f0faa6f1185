//! `comatrix-gateway outbox …`: an operator's commands about messages that wait.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::listing::MOST;
use super::request::{Only, OutboxRequest};
use super::wording;
use crate::control::client::{self, SocketArgs};
use crate::control::{Command, Reply};

/// Messages of a list, unless the operator asks for more: some screens.
const DEFAULT_LIMIT: usize = 50;

/// A command about the outbox of a running gateway.
#[derive(Debug, Args)]
pub struct OutboxArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// List the messages that wait for their homeserver, and those that have failed, the oldest first
    List {
        /// Only those that wait
        #[arg(long, conflicts_with = "failed")]
        waiting: bool,
        /// Only those that have failed
        #[arg(long)]
        failed: bool,
        /// Show at most so many
        #[arg(long, value_name = "N", default_value_t = DEFAULT_LIMIT, value_parser = limit)]
        limit: usize,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all of a message, without its access token and its text
    Show {
        /// Its id, or 8 or more of the first digits
        id: String,
        /// Show its text too
        #[arg(long)]
        content: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Try messages now: their pauses end, and failed ones wait again
    Retry {
        /// The id of one, or 8 or more of its first digits; `all` for every message
        #[arg(default_value = ALL)]
        id: String,
    },
    /// Remove a message without sending it; asks for nothing
    Drop {
        /// Its id, or 8 or more of the first digits
        id: String,
    },
}

/// Stands for every message.
const ALL: &str = "all";

/// Runs a command. Exit status 0: done; 1: the gateway refused; 2: no response from a gateway.
#[must_use]
pub fn run(args: OutboxArgs) -> ExitCode {
    let (request, json) = match args.command {
        OutboxCommand::List {
            waiting,
            failed,
            limit,
            json,
        } => {
            let only = match (waiting, failed) {
                (true, _) => Some(Only::Waiting),
                (_, true) => Some(Only::Failed),
                _ => None,
            };
            (OutboxRequest::List { only, limit }, json)
        }
        OutboxCommand::Show { id, content, json } => (OutboxRequest::Show { id, content }, json),
        OutboxCommand::Retry { id } => {
            let id = (id != ALL).then_some(id);
            (OutboxRequest::Retry { id }, false)
        }
        OutboxCommand::Drop { id } => (OutboxRequest::Drop { id }, false),
    };
    let command = Command::Outbox(request);
    client::run(args.socket, &command, |reply| match reply {
        Reply::Records(list) if json => serde_json::to_string(&list).unwrap_or_default(),
        Reply::Records(list) => wording::list(&list),
        Reply::Record(record) if json => serde_json::to_string(&record).unwrap_or_default(),
        Reply::Record(record) => wording::details(&record),
        Reply::Done(done) => done,
        _ => String::new(),
    })
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit @ 1..=MOST) => Ok(limit),
        _ => Err(format!("use a number from 1 to {MOST}")),
    }
}
