//! The command-line options of a serving gateway.

use std::path::PathBuf;

use clap::Args;

use crate::telemetry::logging::LogLevel;

/// Settings of the gateway. Each overrides the same setting in the configuration file.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Address to listen on; a link-local one with its zone, as in fe80::1%lowpan0 [default: ::, IPv4 too]
    #[arg(short, long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// UDP port to listen on; 0 takes any free one [default: 5683]
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Address and port for devices with keys or certificates (DTLS), or `off` [default: the address of --ip and port
    /// 5684, from the first `comatrix-gateway devices add` on]
    #[arg(long, value_name = "ADDRESS")]
    pub coaps: Option<String>,
    /// A homeserver that devices may use; the first one is the default [default: http://localhost:8008]
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
    /// A rule: comatrix=FILE in place of the default one, any other NAME=FILE at /NAME; builtin:msc3079 as the FILE is
    /// the gateway's own rule for low-bandwidth Matrix, at /
    #[arg(long, value_name = "NAME=FILE")]
    pub rule: Vec<String>,
    /// Folder for compiled rules [default: $CACHE_DIRECTORY, else comatrix in $XDG_CACHE_HOME or ~/.cache]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Folder for messages that wait for their homeserver [default: $STATE_DIRECTORY, else comatrix in $XDG_STATE_HOME
    /// or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Socket for `comatrix-gateway rules` [default: control.sock in $RUNTIME_DIRECTORY, else in comatrix of
    /// $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PATH")]
    pub control_socket: Option<PathBuf>,
    /// Place of the status page: a socket, or a loopback address and port [default: admin.sock in $RUNTIME_DIRECTORY,
    /// else in comatrix of $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PLACE")]
    pub admin: Option<String>,
    /// Configuration file (TOML)
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Log level [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}
