//! The configuration file as it is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::component::BUILT_IN;
use crate::outbox::OutboxMode;
use crate::telemetry::logging::LogLevel;
use homeserver::ClientApi;

/// Bytes of a configuration file: a larger file is not one.
const MAX_BYTES: u64 = 1 << 20;

/// A whole file; every part is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub ip: Option<String>,
    pub port: Option<u16>,
    pub log_level: Option<LogLevel>,
    pub allow_any_homeserver: bool,
    pub ca_file: Option<PathBuf>,
    pub cache_dir: Option<PathBuf>,
    pub state_dir: Option<PathBuf>,
    pub access_token_file: Option<PathBuf>,
    pub token_peers: Option<Vec<String>>,
    pub token_without_proof: bool,
    pub disabled_resources: Vec<String>,
    pub homeserver: Vec<HomeserverTable>,
    pub network: Vec<NetworkTable>,
    pub rooms: BTreeMap<String, String>,
    pub rule: Vec<RuleTable>,
    pub rules: RulesTable,
    pub control_socket: Option<PathBuf>,
    pub admin: Option<String>,
    pub limits: LimitsTable,
    pub coap: CoapTable,
    pub coaps: CoapsTable,
    pub require_secured: bool,
    pub device: BTreeMap<String, DeviceTable>,
    pub device_group: BTreeMap<String, DeviceGroupTable>,
    pub outbox: OutboxTable,
}

/// `[[homeserver]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeserverTable {
    pub url: String,
    pub name: Option<String>,
    #[serde(default)]
    pub client_api: ClientApi,
    pub access_token_file: Option<PathBuf>,
    pub token_without_proof: Option<bool>,
}

/// `[[network]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTable {
    pub prefix: String,
    #[serde(default)]
    pub devices: bool,
    pub block_size: Option<usize>,
    pub ack_delay: Option<String>,
    pub ack_delay_max: Option<String>,
    pub outbox: Option<OutboxMode>,
}

/// `[[rule]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTable {
    pub name: String,
    pub component: Option<PathBuf>,
    pub mount: Option<String>,
    #[serde(default)]
    pub config: BTreeMap<String, toml::Value>,
    pub allow: Option<Vec<String>>,
    #[serde(default)]
    pub allow_headers: Vec<String>,
    #[serde(default)]
    pub limits: RuleLimitsTable,
    pub signature: Option<Signature>,
    pub outbox: Option<OutboxMode>,
}

/// Whether a rule must be signed; without it `[rules] require_signature` applies.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    Required,
    Optional,
}

/// `[rules]`: settings of all rules.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesTable {
    pub keys: Option<PathBuf>,
    pub require_signature: bool,
}

/// `[rule.limits]`; settings that are left out keep their defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleLimitsTable {
    pub call_ms: Option<u64>,
    pub cpu_percent: Option<u32>,
    pub memory: Option<usize>,
    pub memories: Option<usize>,
    pub state: Option<usize>,
    pub body: Option<usize>,
    pub headers: Option<usize>,
    pub steps: Option<u32>,
    pub in_flight: Option<usize>,
    pub in_flight_bytes: Option<usize>,
    pub per_second: Option<u32>,
    pub log_lines_per_second: Option<u32>,
}

/// `[coap]`: settings of the CoAP endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoapTable {
    pub names: Vec<String>,
    pub block_size: Option<usize>,
    pub ack_delay: Option<String>,
    pub ack_delay_max: Option<String>,
    pub leisure: Option<String>,
    pub echo: bool,
    pub multicast: bool,
    pub multicast_interfaces: Vec<String>,
}

/// `[coaps]`: devices with keys.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoapsTable {
    pub listen: Option<String>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

/// `[device.NAME]`: what a device may do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceTable {
    pub may: Option<Vec<String>>,
    pub token: Option<bool>,
    pub account: Option<String>,
}

/// `[device_group.NAME]`: what several devices may do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceGroupTable {
    pub devices: Vec<String>,
    pub may: Option<Vec<String>>,
    pub token: Option<bool>,
    pub account: Option<String>,
}

/// `[outbox]`; settings that are left out keep their defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboxTable {
    pub mode: OutboxMode,
    pub patience: Option<String>,
    pub bytes: Option<usize>,
    pub messages: Option<usize>,
    pub age: Option<String>,
    pub keep_failed: Option<String>,
}

/// `[limits]`; settings that are left out keep their defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsTable {
    pub request_body: Option<usize>,
    pub homeserver_answer: Option<usize>,
    pub rule_state: Option<usize>,
    pub rule_steps: Option<u32>,
    pub rule_call_ms: Option<u64>,
    pub rule_memory: Option<usize>,
    pub exchange_seconds: Option<u64>,
    pub drain_seconds: Option<u64>,
    pub calls_per_homeserver: Option<usize>,
    pub calls_queued_per_homeserver: Option<usize>,
    pub exchanges: Option<usize>,
    pub exchanges_per_peer: Option<usize>,
    pub observations: Option<usize>,
    pub observations_per_peer: Option<usize>,
    pub observation_refresh_seconds: Option<u64>,
    pub non_confirmable_notifications: bool,
    pub polls: Option<usize>,
    pub datagrams_per_second_per_peer: Option<u32>,
    pub unproven_bytes: Option<usize>,
}

/// Reads a file. Relative paths in it are relative to its folder.
///
/// # Errors
/// A sentence with the name of the file, the line, and the remedy.
pub fn read(path: &Path) -> Result<File, String> {
    use std::io::Read;
    let shown = path.display();
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| {
            format!(
                "cannot read the configuration file {shown}: {error}; check the path of --config"
            )
        })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!(
            "the configuration file {shown} is larger than {MAX_BYTES} bytes; check the path of --config"
        ));
    }
    let mut file: File = toml::from_str(&text).map_err(|error| {
        let place = place(&text, error.span().map_or(0, |span| span.start));
        let fault = without_text(error.message());
        format!("{shown}, {place}: {fault}; \"Configuration\" in host/README.md lists all settings")
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let homeserver_tokens = file
        .homeserver
        .iter_mut()
        .map(|homeserver| &mut homeserver.access_token_file);
    let components = file.rule.iter_mut().map(|rule| &mut rule.component);
    let files = components.filter(|component| !is_built_in(component.as_deref()));
    for path in [
        &mut file.ca_file,
        &mut file.cache_dir,
        &mut file.state_dir,
        &mut file.access_token_file,
        &mut file.rules.keys,
        &mut file.control_socket,
        &mut file.coaps.certificate,
        &mut file.coaps.key,
        &mut file.coaps.ca_file,
    ]
    .into_iter()
    .chain(homeserver_tokens)
    .chain(files)
    .flatten()
    {
        *path = folder.join(&*path);
    }
    Ok(file)
}

/// Whether a component is part of the gateway, and so is in no folder.
fn is_built_in(component: Option<&Path>) -> bool {
    component
        .and_then(Path::to_str)
        .is_some_and(|text| text.starts_with(BUILT_IN))
}

/// The line of a fault and its setting. The value may be a password, so the line itself is not shown.
fn place(text: &str, offset: usize) -> String {
    let line = text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count();
    let setting = text
        .lines()
        .nth(line)
        .and_then(|text| text.split_once('='))
        .map(|(setting, _)| setting.trim())
        .filter(|setting| {
            setting
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
    match setting {
        Some(setting) => format!("line {}, {setting}", line + 1),
        None => format!("line {}", line + 1),
    }
}

/// A fault without the text that was found, for the same reason.
fn without_text(fault: &str) -> String {
    let found = fault.split_once(": string \"").and_then(|(kind, rest)| {
        let (_, expected) = rest.rsplit_once("\", expected ")?;
        Some(format!("{kind}: text, expected {expected}"))
    });
    found.unwrap_or_else(|| fault.trim_end().to_owned())
}
