//! The settings of a gateway: command line and configuration file, merged and checked. Nothing else reads either.

use std::collections::BTreeMap;
use std::net::{SocketAddr, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::admin_place::Place;
use super::args::ServeArgs;
use super::coap_settings::{self, CoapSettings};
use super::coaps::{self, CoapsListen};
use super::coaps_files;
use super::device_groups;
use super::devices;
use super::error::ConfigError;
use super::file::{self, File};
use super::homeservers;
use super::limits::Limits;
use super::listen_address::parse_ip;
use super::networks;
use super::outbox;
use super::rule_spec::RuleSpec;
use super::rules;
use crate::coaps_certificates::CoapsCertificates;
use crate::outbox::OutboxSettings;
use crate::request::DeviceRights;
use crate::telemetry::logging::LogLevel;
use contract::clock::Clock;
use homeserver::{Others, ResponseBytes, TokenPeers, UpstreamSettings};
use runtime::Trust;
use store::environment::folder;

/// All settings, checked.
pub struct Settings {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Where it listens for devices with keys.
    pub coaps: CoapsListen,
    /// The certificates for them; none if devices with certificates are not served.
    pub certificates: Option<Arc<CoapsCertificates>>,
    /// `ip` is not set: a machine without IPv6 listens on IPv4 instead.
    pub listen_by_default: bool,
    /// Log level.
    pub log_level: LogLevel,
    /// Folder of compiled rules; none without a default folder.
    pub cache_dir: Option<PathBuf>,
    /// Folder of the store; none without a default folder.
    pub state_dir: Option<PathBuf>,
    /// The rules, the default one among them.
    pub rules: Vec<RuleSpec>,
    /// The keys whose signatures are trusted.
    pub trust: Trust,
    /// Socket of `comatrix-gateway rules`; none without a default folder.
    pub control_socket: Option<PathBuf>,
    /// Place of the status page; none without a default folder.
    pub admin: Option<Place>,
    /// First path segments of switched-off resources.
    pub disabled: Vec<String>,
    /// Settings of homeserver calls.
    pub upstreams: UpstreamSettings,
    /// Whether any homeserver has a configured token.
    pub has_token: bool,
    /// Settings of the CoAP endpoint.
    pub coap: CoapSettings,
    /// What devices may do.
    pub rights: DeviceRights,
    /// Messages that wait for their homeserver.
    pub outbox: OutboxSettings,
    /// All limits.
    pub limits: Limits,
}

impl Settings {
    /// Reads the file, if one is given, puts the command line over it, and validates the whole.
    ///
    /// # Errors
    /// [`ConfigError`] for the first thing that is wrong.
    pub fn from_args(args: &ServeArgs) -> Result<Self, ConfigError> {
        let file = args
            .config
            .as_deref()
            .map(file::read)
            .transpose()?
            .unwrap_or_default();
        Self::merge(args.clone(), file)
    }

    fn merge(args: ServeArgs, file: File) -> Result<Self, ConfigError> {
        let ip = args.ip.or(file.ip);
        let (address, zone) = parse_ip(ip.as_deref().unwrap_or("::"))?;
        let mut listen = SocketAddr::new(address, args.port.or(file.port).unwrap_or(5683));
        if let (SocketAddr::V6(v6), true) = (listen, zone != 0) {
            listen = SocketAddrV6::new(*v6.ip(), v6.port(), 0, zone).into();
        }
        let coaps = coaps::listen(args.coaps.as_deref(), &file.coaps, listen)?;
        let certificates = coaps_files::certificates(&file.coaps)?.map(Arc::new);
        let mut limits = Limits::from_table(&file.limits)?;
        let coap = coap_settings::from_table(file.coap, &mut limits.serve.coap, listen.ip())?;
        limits.serve.coap.networks = networks::networks(&file.network)?;
        let homeservers = homeservers::homeservers(
            args.homeserver,
            file.homeserver,
            args.access_token_file,
            file.access_token_file,
            file.token_without_proof,
            limits.upstream,
        )?;
        let has_token = homeservers
            .iter()
            .any(|homeserver| homeserver.token().is_some());
        let outbox = outbox::from_table(&file.outbox, &file.rule, &file.network)?;
        let devices = device_groups::with_groups(&file.device, &file.device_group)?;
        let rights = devices::rights(&devices, file.require_secured)?;
        let accounts = devices::accounts(&devices, &homeservers)?;
        rooms(&file.rooms)?;
        let rules = rules::rules(&args.rule, file.rule, file.rooms, limits.rule)?;
        rules::check_upstreams(&rules, &homeservers)?;
        let folder = args.config.as_deref().and_then(Path::parent);
        let admin = match (args.admin, file.admin) {
            (Some(place), _) => Some(Place::parse(&place, None)?),
            (None, Some(place)) => Some(Place::parse(&place, folder)?),
            (None, None) => Place::standard(),
        };
        let trust = Trust::open(file.rules.keys.as_deref(), file.rules.require_signature)
            .map_err(|error| ConfigError(error.to_string()))?;
        Ok(Self {
            listen,
            coaps,
            certificates,
            listen_by_default: ip.is_none(),
            log_level: args.log_level.or(file.log_level).unwrap_or(LogLevel::Info),
            cache_dir: args.cache_dir.or(file.cache_dir).or_else(default_cache_dir),
            state_dir: args.state_dir.or(file.state_dir).or_else(default_state_dir),
            rules,
            trust,
            control_socket: args
                .control_socket
                .or(file.control_socket)
                .or_else(default_control_socket),
            admin,
            disabled: file
                .disabled_resources
                .iter()
                .map(|resource| resource.trim_start_matches('/').to_owned())
                .collect(),
            upstreams: UpstreamSettings {
                homeservers,
                others: (args.allow_any_homeserver || file.allow_any_homeserver)
                    .then(|| Others::new(limits.upstream)),
                token_peers: TokenPeers {
                    networks: homeservers::token_peers(file.token_peers)?,
                    devices: accounts,
                },
                ca_file: args.ca_file.or(file.ca_file),
                limits: limits.upstream,
                response_bytes: ResponseBytes::new(limits.upstream),
                clock: Clock::system(),
            },
            has_token,
            rights,
            outbox,
            coap,
            limits,
        })
    }
}

/// `[rooms]`: names that can be a segment of a Uri-Path, for room ids or aliases.
fn rooms(rooms: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    for (name, room) in rooms {
        let is_name = !name.starts_with(['!', '#']) && contract::path_segment::is_plain(name);
        if !is_name || name.contains('/') || !room.starts_with(['!', '#']) {
            return Err(ConfigError(format!(
                "[rooms] {} = \"{}\": write a name without a slash for a room id (!…) or alias (#name:server)",
                contract::escaping::escaped(name, 64),
                contract::escaping::escaped(room, 128)
            )));
        }
    }
    Ok(())
}

/// `CACHE_DIRECTORY` is systemd's, and with `DynamicUser=` a link to the folder itself; then the XDG base directory
/// specification.
fn default_cache_dir() -> Option<PathBuf> {
    let of_systemd = folder("CACHE_DIRECTORY");
    let of_systemd = of_systemd.map(|folder| folder.canonicalize().unwrap_or(folder));
    of_systemd.or_else(|| {
        folder("XDG_CACHE_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("comatrix"))
    })
}

/// As the cache's, of `STATE_DIRECTORY`.
fn default_state_dir() -> Option<PathBuf> {
    let of_systemd = folder("STATE_DIRECTORY");
    let of_systemd = of_systemd.map(|folder| folder.canonicalize().unwrap_or(folder));
    of_systemd.or_else(|| {
        folder("XDG_STATE_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("comatrix"))
    })
}

/// The default control socket.
#[must_use]
pub fn default_control_socket() -> Option<PathBuf> {
    store::private_socket::default_path("control.sock")
}
