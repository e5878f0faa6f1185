//! The rule: which component, and its own settings.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::file::RuleTable;
use crate::access_log::escaped;

/// The only rule there is in this version.
pub const RULE: &str = "comatrix";
/// Bytes of a component: a JavaScript engine in one is 12 MB.
const MAX_COMPONENT: u64 = 32 << 20;

/// Settings of a rule, and bytes of them: each call of the rule gets a copy.
const MAX_SETTINGS: usize = 256;
const MAX_SETTING_BYTES: usize = 16 << 10;

/// Whether a rule can be given these settings (`types.settings`).
pub(super) fn check_settings(settings: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let bytes: usize = settings
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if settings.len() > MAX_SETTINGS || bytes > MAX_SETTING_BYTES {
        return Err(format!(
            "[rule.config] and [rooms] hold {} settings of {bytes} bytes; a rule can have {MAX_SETTINGS} of {MAX_SETTING_BYTES} bytes, since each of its calls gets a copy",
            settings.len()
        )
        .into());
    }
    Ok(())
}

/// The component in place of the built-in one, and the settings of the rule.
pub(super) fn rule(
    args: &[String],
    tables: Vec<RuleTable>,
) -> Result<(Option<PathBuf>, BTreeMap<String, String>), ConfigError> {
    let known = |name: &str| {
        if name == RULE {
            Ok(())
        } else {
            Err(ConfigError(format!(
                "there is no rule \"{}\"; the one that can be replaced is {RULE}",
                escaped(name, 64)
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
                        ConfigError(format!("[rule.config] {}: {fault}", escaped(&key, 64)))
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

/// Reads a component from its file.
///
/// # Errors
/// [`ConfigError`] names the file.
pub fn read_component(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let limit = MAX_COMPONENT;
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
