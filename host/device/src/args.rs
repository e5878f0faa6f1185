//! The command line of `comatrix-gateway device`, as clap reads it.
//!
//! Values are checked in `plan`; nothing here opens a file or a socket.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Printed by `--help` below the options.
const EXIT_CODES: &str = "\
Exit codes (with --repeat: the highest of all exchanges):
  0  success, a 2.xx response
  2  the command line, a file or a variable is wrong
  4  a 4.xx response: the request, the token or the room
  5  a 5.xx response: the gateway or the homeserver
  6  no response: timed out, refused, host not found
  7  the gateway reset the message, or its response is unusable

Secrets are not accepted on the command line, where other users could see them:
  COMATRIX_PASSWORD or --password-file FILE   the account's password (`-` reads standard input)
  COMATRIX_TOKEN or --token-file FILE         the access token, sent as CoAP option 256
  --psk-file FILE, --oscore FILE, --edhoc FILE, --key FILE
                                              the device's key";

/// `comatrix-gateway device …`: acts as a constrained device over CoAP, for tests and scripts.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct DeviceArgs {
    #[command(subcommand)]
    pub(super) command: DeviceCommand,

    #[command(flatten)]
    pub(super) exchange: ExchangeArgs,
}

/// Options of an exchange; the same for every resource.
#[derive(Debug, Args)]
pub(super) struct ExchangeArgs {
    /// The gateway's address; IPv6 in brackets, link-local with its zone: coap://[fe80::1%eth0]. With coaps:// (port
    /// 5684) the device shakes hands by DTLS
    #[arg(
        long,
        global = true,
        value_name = "coap[s]://HOST[:PORT]",
        default_value = "coap://localhost:5683"
    )]
    pub(super) gateway: String,

    #[command(flatten)]
    pub(super) security: SecurityArgs,

    /// Send non-confirmable messages: no acknowledgement, no retransmission
    #[arg(long, global = true)]
    pub(super) non: bool,

    /// Repeat the exchange: this many times in all, one after the other
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(super) repeat: u32,

    /// Pause between repeated exchanges
    #[arg(long, global = true, value_name = "SECONDS", default_value = "1")]
    pub(super) interval: f64,

    /// Largest block in both directions: 16, 32, 64, 128, 256, 512 or 1024 bytes. With this option the device also
    /// requests this size from the gateway (default: 1024, requested only for a body that does not fit)
    #[arg(long, global = true, value_name = "BYTES")]
    pub(super) block_size: Option<u16>,

    /// Give up on an exchange after this time, including retransmissions and blocks
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30")]
    pub(super) timeout: f64,

    /// Print one JSON object per exchange, each on its own line
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// What protects the messages: see `comatrix-gateway devices add`.
#[derive(Debug, Default, Args)]
pub(super) struct SecurityArgs {
    /// Identity of the device's pre-shared key, for a coaps:// gateway
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) psk_identity: Option<String>,

    /// File with the pre-shared key alone, readable by its owner only; `-` reads standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) psk_file: Option<PathBuf>,

    /// File with a security context for OSCORE, as libcoap has it, readable by its owner only. Sequence numbers are
    /// kept beside it, in NAME.seq
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) oscore: Option<PathBuf>,

    /// File with the device's private key and both credentials for EDHOC, as `devices add --edhoc` prints it, readable
    /// by its owner only. Each command shakes hands anew
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) edhoc: Option<PathBuf>,

    /// The device's certificate (PEM), for a coaps:// gateway
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) certificate: Option<PathBuf>,

    /// The private key of the certificate (PEM), readable by its owner only
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,

    /// Certificates (PEM) of the authorities that sign gateways', or the gateway's own
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
}

/// A request to a resource, or a measurement.
#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    #[command(flatten)]
    Exchange(ExchangeCommand),
    /// Measure what the path to the gateway carries: sizes, round trip, loss, block-wise, token policy
    ///
    /// Run it where a device stands. It only reads, and it ends after at most 300 messages and 3 minutes.
    Probe(ProbeArgs),
}

/// `probe`.
#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// The gateway's address, instead of --gateway
    #[arg(value_name = "coap[s]://HOST[:PORT]")]
    pub(super) uri: Option<String>,
}

/// One command per resource of the gateway.
#[derive(Debug, Subcommand)]
pub(super) enum ExchangeCommand {
    /// Create an account on the homeserver (POST /register)
    Register(AccountArgs),
    /// Log in and get an access token (POST /login)
    Login(AccountArgs),
    /// Join a room (POST /join)
    Join(RoomArgs),
    /// Send a text message to a room (PUT /send)
    Send(SendArgs),
    /// Read the last text message of a room (GET /getmsg)
    Getmsg(RoomArgs),
    /// Observe a room: its last text message, then each new one (GET /getmsg with Observe)
    Observe(ObserveArgs),
    /// Get the time from the gateway, as Unix seconds (GET /time)
    Time,
    /// Invalidate the access token (POST /logout)
    Logout(LogoutArgs),
}

/// The homeserver in the request.
#[derive(Debug, Default, Args)]
pub(super) struct HomeserverArgs {
    /// Name the homeserver in a Proxy-Uri, as the devices of 2021 do. Without this option, the gateway uses its default
    /// homeserver
    #[arg(long, value_name = "URL")]
    pub(super) homeserver: Option<String>,

    /// Write the Proxy-Uri in full (/_matrix/client/r0/…) instead of its short MSC3079 code
    #[arg(long, requires = "homeserver")]
    pub(super) full: bool,
}

/// The source of the access token.
#[derive(Debug, Default, Args)]
pub(super) struct TokenArgs {
    /// File with the access token, `-` for standard input (or set COMATRIX_TOKEN). Without a token, the gateway uses
    /// its own if it has one
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
}

/// `register` and `login`.
#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    /// The account's name: the local part, or for `login` the whole @user:server
    #[arg(long, value_name = "NAME")]
    pub(super) user: String,

    /// File with the password, `-` for standard input (or set COMATRIX_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,

    /// Write the access token to this file, readable by its owner only
    #[arg(long, value_name = "FILE")]
    pub(super) save_token: Option<PathBuf>,

    /// Print the access token of the response instead of redaction it
    #[arg(long)]
    pub(super) show_token: bool,

    #[command(flatten)]
    pub(super) homeserver: HomeserverArgs,
}

/// `join` and `getmsg`.
#[derive(Debug, Args)]
pub(super) struct RoomArgs {
    /// Room id (!…), alias (#name:server) or an alias name of the gateway's configuration; quote it for the shell
    #[arg(
        value_name = "ROOM",
        required_unless_present = "room",
        conflicts_with = "room"
    )]
    pub(super) room_word: Option<String>,

    /// The room, as an option
    #[arg(long, value_name = "ROOM")]
    pub(super) room: Option<String>,

    #[command(flatten)]
    pub(super) token: TokenArgs,

    #[command(flatten)]
    pub(super) homeserver: HomeserverArgs,
}

/// `observe`.
#[derive(Debug, Args)]
pub(super) struct ObserveArgs {
    #[command(flatten)]
    pub(super) room: RoomArgs,

    /// End after this many messages, the first response among them (default: never)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) messages: Option<u32>,

    /// End after this time
    #[arg(long = "for", value_name = "SECONDS", default_value = "3600")]
    pub(super) seconds: f64,
}

/// `send`.
#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// Room and text; leave out the one that --room or --message gives
    #[arg(value_name = "ROOM TEXT", num_args = 0..=2)]
    pub(super) words: Vec<String>,

    /// The room: id (!…), alias (#name:server) or an alias name of the gateway's configuration
    #[arg(long, value_name = "ROOM")]
    pub(super) room: Option<String>,

    /// The text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) message: Option<String>,

    /// Transaction id, the same in every repetition: the homeserver accepts it once (default with --homeserver: a new
    /// one for each exchange; without: the gateway makes one)
    #[arg(long, value_name = "ID")]
    pub(super) txn: Option<String>,

    #[command(flatten)]
    pub(super) token: TokenArgs,

    #[command(flatten)]
    pub(super) homeserver: HomeserverArgs,
}

/// `logout`.
#[derive(Debug, Args)]
#[command(mut_arg("token_file", |arg| arg.help(
    "File with the access token to invalidate, `-` for standard input (or set COMATRIX_TOKEN)"
)))]
pub(super) struct LogoutArgs {
    /// Invalidate all tokens of the account, not only this one
    #[arg(long, requires = "homeserver")]
    pub(super) all: bool,

    #[command(flatten)]
    pub(super) token: TokenArgs,

    #[command(flatten)]
    pub(super) homeserver: HomeserverArgs,
}
