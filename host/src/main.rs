//! The gateway's binary: reads the command line and runs its command, or the gateway without one.

mod serve;
mod start_error;
mod state;

use std::process::ExitCode;

use clap::Parser;
use comatrix_host::cli::{Cli, Command};
#[cfg(feature = "compiler")]
use comatrix_host::rule_tool;
use gateway::daemon::service_manager;
use gateway::outbox::operators;
use gateway::{admin, devices, rule_manager};
#[cfg(feature = "compiler")]
use runtime::compile_component;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Device(args)) => device::run(*args),
        Some(Command::Status(args)) => admin::command::run(&args),
        Some(Command::Rules(args)) => rule_manager::command::run(args),
        Some(Command::Outbox(args)) => operators::command::run(args),
        Some(Command::Devices(args)) => devices::operators::command::run(args),
        #[cfg(feature = "compiler")]
        Some(Command::Rule(args)) => rule_tool::run(args),
        #[cfg(feature = "compiler")]
        Some(Command::CompileComponent(args)) => compile_component::run(&args),
        None => serve::serve(cli.serve).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS),
    }
}

#[allow(clippy::print_stderr)] // The log may not have started.
fn failed(error: &start_error::StartError) -> ExitCode {
    let message = error.to_string();
    eprintln!("comatrix-gateway: {message}");
    service_manager::failed(&message);
    error.exit_code()
}
