//! The configuration of the rules: components, mounts, rights, limits and settings.

use std::collections::{BTreeMap, BTreeSet};

use super::component::Component;
use super::error::ConfigError;
use super::file::{RuleTable, Signature};
use super::limits;
use super::rule_args::{checked, component, components, take};
use super::rule_spec::RuleSpec;
use contract::escaping::escaped;
use contract::path_segment::is_plain;
use contract::{Grant, HeaderGrants};
use homeserver::Homeserver;
use runtime::{BuiltIn, RuleLimits};

/// The name of the built-in rule. It serves at the root.
pub const DEFAULT: &str = "comatrix";
/// Rules of one gateway: each needs memory, and each request is matched against all of them.
const MAX_RULES: usize = 64;
/// Number and bytes of a rule's settings: each call of the rule gets a copy.
const MAX_SETTINGS: usize = 256;
const MAX_SETTING_BYTES: usize = 16 << 10;

/// Grants of a component that replaces the built-in rule: the client API, which the built-in rule uses too.
const CLIENT_API: [&str; 6] = [
    "GET,POST,PUT,DELETE none standard /_matrix/client/v3/**",
    "GET,POST,PUT,DELETE device standard /_matrix/client/v3/**",
    "GET,POST,PUT,DELETE any standard /_matrix/client/v3/**",
    "GET,POST,PUT,DELETE none requested /_matrix/client/v3/**",
    "GET,POST,PUT,DELETE device requested /_matrix/client/v3/**",
    "GET,POST,PUT,DELETE any requested /_matrix/client/v3/**",
];

/// The rules of the file, with the components of the command line.
pub(super) fn rules(
    args: &[String],
    tables: Vec<RuleTable>,
    rooms: BTreeMap<String, String>,
    default_limits: RuleLimits,
) -> Result<Vec<RuleSpec>, ConfigError> {
    let mut given = components(args)?;
    let default = Component::BuiltIn(BuiltIn::Comatrix);
    let mut rules = vec![unconfigured(DEFAULT, default, default_limits)?];
    let mut names = BTreeSet::new();
    for table in tables {
        let component = take(&mut given, &table.name);
        let spec = from_table(table, component, default_limits)?;
        if !names.insert(spec.name.clone()) {
            return Err(ConfigError(format!(
                "[[rule]] {} is configured twice; rename one of them",
                spec.name
            )));
        }
        if spec.name == DEFAULT {
            rules[0] = spec;
        } else {
            rules.push(spec);
        }
    }
    for (name, component) in given {
        let spec = unconfigured(&name, component, default_limits)?;
        if name == DEFAULT {
            rules[0] = spec;
        } else {
            rules.push(spec);
        }
    }
    if rules.len() > MAX_RULES {
        return Err(ConfigError(format!(
            "{} rules are configured; at most {MAX_RULES} are allowed",
            rules.len()
        )));
    }
    let rooms = rooms.into_iter();
    rules[0]
        .settings
        .extend(rooms.map(|(name, room)| (format!("room.{name}"), room)));
    for rule in &mut rules {
        check_settings(rule)?;
    }
    Ok(rules)
}

/// Grants must name configured homeservers: without this check a misspelt name fails only at the first call.
pub(super) fn check_upstreams(
    rules: &[RuleSpec],
    homeservers: &[Homeserver],
) -> Result<(), ConfigError> {
    let exists = |upstream: &str| {
        matches!(upstream, "standard" | "requested")
            || homeservers
                .iter()
                .any(|homeserver| homeserver.name() == Some(upstream))
    };
    for rule in rules {
        if let Some(grant) = rule.allow.iter().find(|grant| !exists(grant.upstream())) {
            return Err(ConfigError(format!(
                "[[rule]] {}: allow names the homeserver {}, but no [[homeserver]] has this name; add `name = \"{1}\"` \
                 to one",
                rule.name,
                grant.upstream()
            )));
        }
    }
    Ok(())
}

/// A rule without a table. Those of the gateway itself serve at the root: their resources have the names that devices
/// know.
fn unconfigured(
    name: &str,
    component: Component,
    default_limits: RuleLimits,
) -> Result<RuleSpec, ConfigError> {
    let is_default = name == DEFAULT;
    let is_trusted = is_default || matches!(component, Component::BuiltIn(_));
    Ok(RuleSpec {
        name: name.to_owned(),
        component,
        mount: if is_trusted {
            Vec::new()
        } else {
            vec![name.to_owned()]
        },
        settings: BTreeMap::new(),
        // Deny by default.
        allow: if is_default {
            grants(name, CLIENT_API.map(str::to_owned).to_vec())?
        } else {
            Vec::new()
        },
        allow_headers: HeaderGrants::default(),
        limits: own_limits(is_trusted, default_limits),
        require_signature: false,
    })
}

/// The gateway's own rules may use all of its resources; the general limits of a call apply to them too.
fn own_limits(is_trusted: bool, default: RuleLimits) -> RuleLimits {
    if !is_trusted {
        return default;
    }
    let RuleLimits {
        cpu_percent,
        in_flight,
        in_flight_bytes,
        per_second,
        ..
    } = RuleLimits::trusted();
    RuleLimits {
        cpu_percent,
        in_flight,
        in_flight_bytes,
        per_second,
        ..default
    }
}

/// A rule with a table; `given`: its component on the command line, which counts.
fn from_table(
    table: RuleTable,
    given: Option<Component>,
    default_limits: RuleLimits,
) -> Result<RuleSpec, ConfigError> {
    let name = table.name;
    checked(&name)?;
    let settings = table
        .config
        .into_iter()
        .map(|(key, value)| match setting_text(value) {
            Ok(text) => Ok((key, text)),
            Err(fault) => Err(ConfigError(format!(
                "rule {name}: [rule.config] {}: {fault}",
                escaped(&key, 64)
            ))),
        })
        .collect::<Result<_, _>>()?;
    let component = match (given, table.component) {
        (Some(given), _) => given,
        (None, Some(text)) => component(&name, text)?,
        (None, None) if name == DEFAULT => Component::BuiltIn(BuiltIn::Comatrix),
        (None, None) => {
            return Err(ConfigError(format!(
                "[[rule]] {name} has no component; add `component = \"FILE.wasm\"`"
            )));
        }
    };
    let unconfigured = unconfigured(&name, component, default_limits)?;
    Ok(RuleSpec {
        component: unconfigured.component,
        mount: match table.mount {
            Some(mount) => mount_segments(&name, &mount)?,
            None => unconfigured.mount,
        },
        settings,
        allow: match table.allow {
            Some(texts) => grants(&name, texts)?,
            None => unconfigured.allow,
        },
        allow_headers: header_grants(&name, table.allow_headers)?,
        limits: limits::of_rule(&name, &table.limits, unconfigured.limits)?,
        require_signature: table.signature == Some(Signature::Required),
        name,
    })
}

fn mount_segments(rule: &str, mount: &str) -> Result<Vec<String>, ConfigError> {
    let wrong = || {
        ConfigError(format!(
            "rule {rule}: mount = \"{}\": write a path, as in \"/sensors\", or \"/\"",
            escaped(mount, 64)
        ))
    };
    let below = mount.strip_prefix('/').ok_or_else(wrong)?;
    if below.is_empty() {
        return Ok(Vec::new());
    }
    let segments: Vec<String> = below.split('/').map(str::to_owned).collect();
    if segments.len() <= 8 && segments.iter().all(|segment| is_plain(segment)) {
        Ok(segments)
    } else {
        Err(wrong())
    }
}

fn grants(rule: &str, texts: Vec<String>) -> Result<Vec<Grant>, ConfigError> {
    let grant = |text: String| {
        text.parse()
            .map_err(|error| ConfigError(format!("rule {rule}: allow: {error}")))
    };
    texts.into_iter().map(grant).collect()
}

fn header_grants(rule: &str, names: Vec<String>) -> Result<HeaderGrants, ConfigError> {
    HeaderGrants::new(names).map_err(|(name, fault)| {
        let name = escaped(&name, 64);
        ConfigError(format!("rule {rule}: allow_headers: \"{name}\": {fault}"))
    })
}

/// Checks the size of a rule's settings (`types.settings`).
fn check_settings(rule: &RuleSpec) -> Result<(), ConfigError> {
    let settings = rule.settings.iter();
    let bytes: usize = settings.map(|(key, value)| key.len() + value.len()).sum();
    if rule.settings.len() > MAX_SETTINGS || bytes > MAX_SETTING_BYTES {
        return Err(ConfigError(format!(
            "rule {}: [rule.config] and [rooms] have {} settings of {bytes} bytes; a rule can have at most \
             {MAX_SETTINGS} of {MAX_SETTING_BYTES} bytes, since each of its calls gets a copy",
            rule.name,
            rule.settings.len()
        )));
    }
    Ok(())
}

/// Rules get text; numbers and booleans in TOML's notation.
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
