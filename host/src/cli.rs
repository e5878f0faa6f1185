//! The command line. Only `config` reads what it holds.

use clap::{Parser, Subcommand};

#[cfg(feature = "compiler")]
use crate::rule_tool::RuleArgs;
use device::DeviceArgs;
use gateway::admin::command::StatusArgs;
use gateway::config::args::ServeArgs;
use gateway::rule_manager::command::RulesArgs;
#[cfg(feature = "compiler")]
use runtime::COMPILE_COMMAND;
#[cfg(feature = "compiler")]
use runtime::compile_component::CompileComponentArgs;

/// CoAP gateway to Matrix: lets constrained devices take part in Matrix rooms.
#[derive(Debug, Parser)]
#[command(
    name = "comatrix-gateway",
    version,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of the gateway.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What the binary does besides being a gateway.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Speak to a gateway as a device does.
    Device(DeviceArgs),
    /// Show what a running gateway does.
    Status(StatusArgs),
    /// Look after the rules of a running gateway.
    Rules(RulesArgs),
    /// Make, check, sign and try out rules.
    #[cfg(feature = "compiler")]
    Rule(RuleArgs),
    /// Compile a component for the gateway that asks for it.
    #[cfg(feature = "compiler")]
    #[command(name = COMPILE_COMMAND, hide = true)]
    CompileComponent(CompileComponentArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
