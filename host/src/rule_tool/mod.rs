//! `comatrix-gateway rule …`: the commands of authors and operators on rule files, without a running gateway.
//!
//! One file per command; [`rule_harness`] is shared.

mod args;
mod build;
mod check;
mod compile;
mod description_view;
mod error;
mod exchange;
mod exchange_event;
mod exchange_view;
mod keygen;
mod manifest;
mod new;
mod observation;
mod request_text;
mod response_text;
mod rule_harness;
mod run;
mod sign;
mod template;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

pub use args::RuleArgs;

use args::RuleCommand;
use error::ToolError;
use gateway::telemetry::logging;
use gateway::telemetry::logging::LogLevel;

/// Runs a command to its end: results on standard output, errors and what the rule logs on standard error.
///
/// Exit codes are those of `--help`: 0 done, 1 the rule is not fit, 2 the command line or a file.
pub fn run(args: RuleArgs) -> ExitCode {
    // What a rule logs is for its author here. Without a thread for it the command works all the same.
    let _log = logging::start(LogLevel::Debug).ok();
    let out = &mut io::stdout().lock();
    let done = match args.command {
        RuleCommand::New(args) => new::new(&args, out).map_err(ToolError::from),
        RuleCommand::Build(args) => build::build(&args, out).map_err(ToolError::from),
        RuleCommand::Keygen(args) => keygen::keygen(&args, out),
        RuleCommand::Manifest(args) => manifest::manifest(&args, out),
        RuleCommand::Sign(args) => sign::sign(&args, out),
        RuleCommand::Verify(args) => verify::verify(&args, out),
        RuleCommand::Check(args) => check::check(&args, out),
        RuleCommand::Run(args) => run::run(&args, out),
        RuleCommand::Compile(args) => compile::compile(&args, out),
    };
    match done.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed too.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
