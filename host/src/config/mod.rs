//! Command line and file become one validated value; nothing else reads either.

mod file;
mod limits;

use std::collections::BTreeMap;
use std::net::{SocketAddr, SocketAddrV6};
use std::path::{Path, PathBuf};

use url::Url;

use crate::cli::{LogLevel, ServeArgs, parse_ip};
use crate::secret::AccessToken;
use crate::upstream::{ClientApi, Homeserver, Slots, TokenPeers, UpstreamSettings};
use file::{File, HomeserverTable, RuleTable};
pub use limits::Limits;

/// The only rule there is in this version.
const RULE: &str = "comatrix";
/// Homeservers to configure; more is a mistake.
const MAX_HOMESERVERS: usize = 64;
/// Loopback, link-local and unique-local addresses: those whose datagrams did not come from far away.
const DEFAULT_TOKEN_PEERS: [&str; 5] = [
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fe80::/10",
    "fc00::/7",
];

/// What is wrong with the configuration, and the remedy. The gateway exits with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl From<String> for ConfigError {
    fn from(sentence: String) -> Self {
        Self(sentence)
    }
}

/// All that the gateway is told, validated.
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Neither `ip` was given: a machine without IPv6 listens on IPv4 instead.
    pub listen_by_default: bool,
    /// What to log.
    pub log_level: LogLevel,
    /// Where compiled rules go; `None` where no folder is known.
    pub cache_dir: Option<PathBuf>,
    /// The component to use in place of the built-in one.
    pub component: Option<PathBuf>,
    /// The rule's own settings, `room.NAME` for each configured room among them.
    pub rule_settings: BTreeMap<String, String>,
    /// First path segments that are switched off.
    pub disabled: Vec<String>,
    /// Egress.
    pub upstreams: UpstreamSettings,
    /// Whether any homeserver has a configured token.
    pub has_token: bool,
    /// All bounds.
    pub limits: Limits,
}

impl Settings {
    /// Reads the file, if one is given, puts the command line over it, and validates the whole.
    ///
    /// # Errors
    /// [`ConfigError`] for the first thing that is wrong.
    pub fn from_args(args: ServeArgs) -> Result<Self, ConfigError> {
        let file = args
            .config
            .as_deref()
            .map(file::read)
            .transpose()?
            .unwrap_or_default();
        Self::merge(args, file)
    }

    fn merge(args: ServeArgs, file: File) -> Result<Self, ConfigError> {
        let ip = args.ip.or(file.ip);
        let (address, zone) = parse_ip(ip.as_deref().unwrap_or("::"))?;
        let mut listen = SocketAddr::new(address, args.port.or(file.port).unwrap_or(5683));
        if let (SocketAddr::V6(v6), true) = (listen, zone != 0) {
            listen = SocketAddrV6::new(*v6.ip(), v6.port(), 0, zone).into();
        }
        let limits = Limits::from_table(&file.limits)?;
        let homeservers = homeservers(
            args.homeserver,
            file.homeserver,
            args.access_token_file.or(file.access_token_file),
            &limits,
        )?;
        let has_token = homeservers
            .iter()
            .any(|homeserver| homeserver.token().is_some());
        let (component, mut rule_settings) = rule(&args.rule, file.rule)?;
        rule_settings.extend(
            file.rooms
                .into_iter()
                .map(|(name, room)| (format!("room.{name}"), room)),
        );
        Ok(Self {
            listen,
            listen_by_default: ip.is_none(),
            log_level: args.log_level.or(file.log_level).unwrap_or(LogLevel::Info),
            cache_dir: args.cache_dir.or(file.cache_dir).or_else(default_cache_dir),
            component,
            rule_settings,
            disabled: file
                .disabled_resources
                .iter()
                .map(|resource| resource.trim_start_matches('/').to_owned())
                .collect(),
            upstreams: UpstreamSettings {
                homeservers,
                allow_any: args.allow_any_homeserver || file.allow_any_homeserver,
                token_peers: token_peers(file.token_peers)?,
                ca_file: args.ca_file.or(file.ca_file),
                limits: limits.upstream,
            },
            has_token,
            limits,
        })
    }
}

/// Homeservers of the command line stand in place of the file's.
fn homeservers(
    urls: Vec<String>,
    tables: Vec<HomeserverTable>,
    token_file: Option<PathBuf>,
    limits: &Limits,
) -> Result<Vec<Homeserver>, ConfigError> {
    let from_url = |url: String| HomeserverTable {
        url,
        name: None,
        client_api: ClientApi::default(),
        access_token_file: None,
    };
    let mut tables = if urls.is_empty() {
        tables
    } else {
        urls.into_iter().map(from_url).collect()
    };
    if tables.is_empty() {
        tables.push(from_url("http://localhost:8008".to_owned()));
    }
    if tables.len() > MAX_HOMESERVERS {
        return Err(format!(
            "{} homeservers are configured; {MAX_HOMESERVERS} are the most",
            tables.len()
        )
        .into());
    }
    if let Some(token_file) = token_file {
        tables[0].access_token_file = Some(token_file);
    }
    let mut homeservers: Vec<Homeserver> = Vec::new();
    for table in tables {
        let origin = origin(&table.url)?;
        if homeservers.iter().any(|known| known.origin() == &origin) {
            return Err(
                format!("the homeserver {origin} is configured twice; leave one out").into(),
            );
        }
        let token = table
            .access_token_file
            .as_deref()
            .map(AccessToken::from_file)
            .transpose()?;
        let slots = Slots::new(limits.upstream.in_flight, limits.upstream.queued);
        homeservers.push(Homeserver::configured(
            origin,
            table.name,
            token,
            table.client_api,
            slots,
        ));
    }
    Ok(homeservers)
}

fn origin(text: &str) -> Result<Url, ConfigError> {
    // What is given may hold a password: errors say what is wrong with it, not what it is.
    let wrong = |fault: &str| {
        ConfigError(format!(
            "a homeserver's URL {fault}; write scheme, host and port only, as in https://matrix.example.org or http://localhost:8008"
        ))
    };
    let url = Url::parse(text).map_err(|error| wrong(&format!("does not parse ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds user info"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has more than an origin"));
    }
    Ok(url)
}

fn rule(
    args: &[String],
    tables: Vec<RuleTable>,
) -> Result<(Option<PathBuf>, BTreeMap<String, String>), ConfigError> {
    let known = |name: &str| {
        if name == RULE {
            Ok(())
        } else {
            Err(ConfigError(format!(
                "there is no rule \"{}\"; the one that can be replaced is {RULE}",
                crate::access_log::escaped(name, 64)
            )))
        }
    };
    let mut component = None;
    let mut settings = BTreeMap::new();
    if tables.len() > 1 {
        return Err(format!(
            "[[rule]] stands {} times; {RULE} is the only rule, so once is enough",
            tables.len()
        )
        .into());
    }
    for table in tables {
        known(&table.name)?;
        component = table.component;
        settings = table
            .config
            .into_iter()
            .map(|(key, value)| {
                setting_text(value)
                    .map(|text| (key.clone(), text))
                    .map_err(|fault| {
                        ConfigError(format!(
                            "[rule.config] {}: {fault}",
                            crate::access_log::escaped(&key, 64)
                        ))
                    })
            })
            .collect::<Result<_, _>>()?;
    }
    if args.len() > 1 {
        return Err(format!(
            "--rule is given {} times; {RULE} is the only rule, so once is enough",
            args.len()
        )
        .into());
    }
    for arg in args {
        let (name, path) = arg
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| {
                ConfigError(format!("--rule wants NAME=FILE, as in {RULE}=my-rule.wasm"))
            })?;
        known(name)?;
        component = Some(PathBuf::from(path));
    }
    Ok((component, settings))
}

/// Rules see text; numbers and booleans in TOML's notation.
fn setting_text(value: toml::Value) -> Result<String, String> {
    Ok(match value {
        toml::Value::String(text) => text,
        toml::Value::Boolean(value) => value.to_string(),
        toml::Value::Integer(value) => value.to_string(),
        toml::Value::Float(value) => value.to_string(),
        toml::Value::Datetime(value) => value.to_string(),
        other => {
            return Err(format!(
                "a setting of a rule is text, a number or a boolean, not {}",
                other.type_str()
            ));
        }
    })
}

fn token_peers(names: Option<Vec<String>>) -> Result<TokenPeers, ConfigError> {
    let defaults = || DEFAULT_TOKEN_PEERS.map(str::to_owned).to_vec();
    names
        .unwrap_or_else(defaults)
        .iter()
        .map(|name| {
            let address = name.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
            address.or_else(|_| name.parse()).map_err(|_| {
                ConfigError(format!(
                    "token_peers: \"{}\" is neither an address nor a prefix; write one such as fd00::/8 or 192.0.2.7",
                    crate::access_log::escaped(name, 64)
                ))
            })
        })
        .collect()
}

/// `CACHE_DIRECTORY` is systemd's; then the XDG base directory specification.
fn default_cache_dir() -> Option<PathBuf> {
    let folder = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder("CACHE_DIRECTORY").or_else(|| {
        folder("XDG_CACHE_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("comatrix"))
    })
}

/// Reads a component from its file.
///
/// # Errors
/// [`ConfigError`] names the file.
pub fn read_component(path: &Path) -> Result<Vec<u8>, ConfigError> {
    use std::io::Read;
    let limit = limits::MAX_COMPONENT;
    let mut component = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut component))
        .map_err(|error| {
            format!(
                "cannot read the rule {}: {error}; check the path given with --rule",
                path.display()
            )
        })?;
    if component.len() as u64 > limit {
        return Err(format!(
            "the rule {} is larger than {limit} bytes; build it with the profile `guest`",
            path.display()
        )
        .into());
    }
    Ok(component)
}
