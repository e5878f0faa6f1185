//! Homeservers, and the devices that may use the gateway's tokens.

use std::path::PathBuf;

use url::Url;

use super::error::ConfigError;
use super::file::HomeserverTable;
use super::networks::prefix;
use contract::escaping::escaped;
use contract::secret::AccessToken;
use homeserver::{ClientApi, ConcurrencyLimit, ConfiguredToken, Homeserver, UpstreamLimits};

/// Configured homeservers: more than that is a mistake.
const MAX_HOMESERVERS: usize = 64;
/// Loopback, link-local and unique-local addresses: datagrams from them do not come through the Internet.
const DEFAULT_TOKEN_PEERS: [&str; 5] = [
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fe80::/10",
    "fc00::/7",
];

/// Homeservers of the command line replace those of the file. `without_proof`: of tokens whose homeserver does not say.
pub(super) fn homeservers(
    urls: Vec<String>,
    tables: Vec<HomeserverTable>,
    from_args: Option<PathBuf>,
    from_file: Option<PathBuf>,
    without_proof: bool,
    limits: UpstreamLimits,
) -> Result<Vec<Homeserver>, ConfigError> {
    let from_url = |url: String| HomeserverTable {
        url,
        name: None,
        client_api: ClientApi::default(),
        access_token_file: None,
        token_without_proof: None,
    };
    if !urls.is_empty() && from_file.is_some() && from_args.is_none() {
        // A token must not follow another homeserver's name.
        return Err(ConfigError::from(
            "access_token_file of the configuration file belongs to that file's homeservers, but --homeserver names \
             others; add --access-token-file"
                .to_owned(),
        ));
    }
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
            "{} homeservers are configured; at most {MAX_HOMESERVERS} are allowed",
            tables.len()
        )
        .into());
    }
    if let Some(token_file) = from_args.or(from_file) {
        if tables[0].access_token_file.is_some() {
            return Err(ConfigError::from(
                "the default homeserver has two access tokens: access_token_file is set in [[homeserver]] and at the \
                 top or on the command line; remove one"
                    .to_owned(),
            ));
        }
        tables[0].access_token_file = Some(token_file);
    }
    let mut homeservers: Vec<Homeserver> = Vec::new();
    for (number, table) in (1..).zip(tables) {
        let origin = origin(number, &table.url)?;
        if homeservers.iter().any(|other| other.origin() == &origin) {
            return Err(format!("the homeserver {origin} is configured twice; remove one").into());
        }
        if table.name.is_some()
            && homeservers
                .iter()
                .any(|other| other.name() == table.name.as_deref())
        {
            return Err(ConfigError::from(format!(
                "two homeservers have the name \"{}\", which rules use to choose one; rename one of them",
                escaped(table.name.as_deref().unwrap_or_default(), 64)
            )));
        }
        let token = table
            .access_token_file
            .as_deref()
            .map(AccessToken::from_file)
            .transpose()?
            .map(|token| ConfiguredToken {
                token,
                without_proof: table.token_without_proof.unwrap_or(without_proof),
            });
        let slots = ConcurrencyLimit::new(limits.in_flight, limits.queued);
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

fn origin(number: usize, text: &str) -> Result<Url, ConfigError> {
    // The URL may hold a password: errors name the homeserver by number and do not show the URL.
    let wrong = |fault: &str| {
        ConfigError(format!(
            "the URL of homeserver {number} (--homeserver, or [[homeserver]] url) {fault}; write scheme, host and port \
             only, as in https://matrix.example.org or http://localhost:8008"
        ))
    };
    let url = Url::parse(text).map_err(|error| wrong(&format!("is malformed ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has user info"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has more than an origin"));
    }
    Ok(url)
}

/// Prefixes of the devices that may use a configured token.
pub(super) fn token_peers(names: Option<Vec<String>>) -> Result<Vec<ipnet::IpNet>, ConfigError> {
    let defaults = || DEFAULT_TOKEN_PEERS.map(str::to_owned).to_vec();
    names
        .unwrap_or_else(defaults)
        .iter()
        .map(|name| {
            prefix(name).ok_or_else(|| {
                ConfigError(format!(
                    "token_peers: \"{}\" is neither an address nor a prefix; write one such as fd00::/8 or 192.0.2.7",
                    escaped(name, 64)
                ))
            })
        })
        .collect()
}
