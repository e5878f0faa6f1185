//! The command line of the binary.

use clap::{Parser, Subcommand};

#[cfg(feature = "compiler")]
use crate::rule_tool::RuleArgs;
use device::DeviceArgs;
use gateway::admin::command::StatusArgs;
use gateway::config::args::ServeArgs;
use gateway::devices::operators::command::DevicesArgs;
use gateway::outbox::operators::command::OutboxArgs;
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
    /// The command; without one, the gateway serves.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of the gateway.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// The commands besides the gateway itself.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a request to a gateway as a device does.
    Device(Box<DeviceArgs>),
    /// Show the status of a running gateway.
    Status(StatusArgs),
    /// Manage the rules of a running gateway.
    Rules(RulesArgs),
    /// Look after messages that wait for their homeserver.
    Outbox(OutboxArgs),
    /// Enrol devices that prove who they are, and remove them.
    Devices(DevicesArgs),
    /// Create, check, sign and run rules.
    #[cfg(feature = "compiler")]
    Rule(RuleArgs),
    /// Compile a component for the gateway that started this process.
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
