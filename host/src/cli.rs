//! The command line. Only `config` reads what it holds.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::admin::command::StatusArgs;
#[cfg(feature = "compiler")]
use crate::compile_component::CompileComponentArgs;
use crate::device::DeviceArgs;
#[cfg(feature = "compiler")]
use crate::rule::COMPILE_COMMAND;
#[cfg(feature = "compiler")]
use crate::rule_tool::RuleArgs;
use crate::rules::command::RulesArgs;

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

/// Settings of the gateway; each stands before its twin in the configuration file.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Address to listen on; a link-local one with its zone, as in fe80::1%lowpan0 [default: ::, IPv4 too]
    #[arg(short, long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// UDP port to listen on; 0 takes any free one [default: 5683]
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// A homeserver that devices may use; the first is the default one [default: http://localhost:8008]
    #[arg(long, value_name = "URL")]
    pub homeserver: Vec<String>,
    /// Let devices name any homeserver: by https, at public addresses only
    #[arg(long)]
    pub allow_any_homeserver: bool,
    /// Access token for requests without one of their own, to the default homeserver
    #[arg(long, value_name = "FILE")]
    pub access_token_file: Option<PathBuf>,
    /// Certificate authorities (PEM) in place of the system's
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A rule: comatrix=FILE in place of the built-in one, any other NAME=FILE at /NAME
    #[arg(long, value_name = "NAME=FILE")]
    pub rule: Vec<String>,
    /// Folder for compiled rules [default: $CACHE_DIRECTORY, else comatrix in $XDG_CACHE_HOME or ~/.cache]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Socket for `comatrix-gateway rules` [default: control.sock in $RUNTIME_DIRECTORY, else in comatrix of $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PATH")]
    pub control_socket: Option<PathBuf>,
    /// Where the status page is: a socket, or a loopback address and port [default: admin.sock in $RUNTIME_DIRECTORY, else in comatrix of $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PLACE")]
    pub admin: Option<String>,
    /// Configuration file (TOML)
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to log [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}

/// Levels of the log; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What keeps the gateway from working.
    Error,
    /// What an operator should look at.
    Warn,
    /// One line per exchange.
    Info,
    /// What the rules say for debugging.
    Debug,
    /// Everything.
    Trace,
}

/// An address as the command line and the file give it.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn parse_ip(text: &str) -> Result<(IpAddr, u32), String> {
    let (address, zone) = text
        .split_once('%')
        .map_or((text, None), |(address, zone)| (address, Some(zone)));
    let address: IpAddr = address.parse().map_err(|_| {
        format!("\"{text}\" is no IP address; give one such as ::, 0.0.0.0 or fe80::1%lowpan0")
    })?;
    let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    match (link_local, zone) {
        (true, None) => Err(format!(
            "the link-local address {address} needs the interface it belongs to: write {address}%INTERFACE, for example {address}%lowpan0"
        )),
        (false, Some(_)) => Err(format!(
            "only link-local addresses have a zone: write {address}"
        )),
        (false, None) => Ok((address, 0)),
        (true, Some(zone)) => interface_index(zone).map(|index| (address, index)),
    }
}

/// The number of a network interface, given by name or number (RFC 4007 §11).
fn interface_index(zone: &str) -> Result<u32, String> {
    let index_of = |name: &str| -> Option<u32> {
        let path = format!("/sys/class/net/{name}/ifindex");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let index = if let Ok(number) = zone.parse::<u32>() {
        let interfaces = std::fs::read_dir("/sys/class/net").into_iter().flatten();
        interfaces.flatten().find_map(|entry| {
            index_of(entry.file_name().to_str()?).filter(|index| *index == number)
        })
    } else if zone.is_empty() || zone.contains(['/', '.']) {
        None
    } else {
        index_of(zone)
    };
    index.ok_or_else(|| {
        format!(
            "there is no network interface \"{}\"; `ip link` lists them",
            crate::access_log::escaped(zone, 32)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_needs_its_zone() {
        let error = parse_ip("fe80::1").unwrap_err();
        assert!(error.contains("fe80::1%lowpan0"), "{error}");
        assert_eq!(parse_ip("fe80::1%1"), Ok(("fe80::1".parse().unwrap(), 1)));
        assert_eq!(parse_ip("fe80::1%lo"), Ok(("fe80::1".parse().unwrap(), 1)));
        assert!(
            parse_ip("fe80::1%no-such-if")
                .unwrap_err()
                .contains("ip link")
        );
        for zone in ["../lo", "", "0", "99999"] {
            assert!(parse_ip(&format!("fe80::1%{zone}")).is_err(), "{zone}");
        }
    }

    #[test]
    fn other_addresses_have_none() {
        assert_eq!(parse_ip("::"), Ok(("::".parse().unwrap(), 0)));
        assert_eq!(parse_ip("127.0.0.1"), Ok(("127.0.0.1".parse().unwrap(), 0)));
        assert!(parse_ip("::1%lo").is_err());
        assert!(parse_ip("localhost").is_err());
        assert!(parse_ip("").is_err());
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
