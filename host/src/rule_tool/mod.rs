//! `comatrix-gateway rule …`: the tools of rule authors and operators, which need no running gateway.
//!
//! One file per command; they share `rule_harness`.

mod args;
mod build;
mod check;
mod compile;
mod description_view;
mod error;
mod exchange;
mod exchange_event;
mod exchange_json;
mod exchange_view;
mod feed;
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

/// Runs a command: results on standard output, errors and the rule's log on standard error.
///
/// Exit codes are those of `--help`: 0 success, 1 a gateway would not accept the rule, 2 the command line or a file.
pub fn run(args: RuleArgs) -> ExitCode {
    // For the rule's author. The command also works if the log cannot start its thread.
    let _log = logging::start(LogLevel::Debug).ok();
    let out = &mut io::stdout().lock();
    let result = match args.command {
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
    match result.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed too, there is no place for the message.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
