//! The components of rules on the command line.

use std::path::PathBuf;

use super::component::Component;
use super::error::ConfigError;
use contract::escaping::escaped;
use runtime::{BuiltIn, check_name};

/// The components of the command line, with the names of their rules.
pub(super) fn components(args: &[String]) -> Result<Vec<(String, Component)>, ConfigError> {
    let mut components: Vec<(String, Component)> = Vec::new();
    for arg in args {
        let (name, path) = arg
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| {
                let default = BuiltIn::Comatrix.name();
                ConfigError(format!(
                    "--rule needs NAME=FILE, as in {default}=my-rule.wasm"
                ))
            })?;
        checked(name)?;
        if components.iter().any(|(other, _)| other == name) {
            return Err(ConfigError(format!(
                "--rule {name} is given twice; remove one"
            )));
        }
        let component = component(name, PathBuf::from(path))?;
        components.push((name.to_owned(), component));
    }
    Ok(components)
}

/// Takes the component of a rule out of those of the command line.
pub(super) fn take(components: &mut Vec<(String, Component)>, name: &str) -> Option<Component> {
    let found = components.iter().position(|(other, _)| other == name)?;
    Some(components.remove(found).1)
}

/// The component that a text of the configuration names.
pub(super) fn component(rule: &str, text: PathBuf) -> Result<Component, ConfigError> {
    let component = Component::of(text);
    component.map_err(|fault| ConfigError(format!("rule {rule}: component: {fault}")))
}

/// Checks the name of a rule.
pub(super) fn checked(name: &str) -> Result<(), ConfigError> {
    check_name(name)
        .map_err(|fault| ConfigError(format!("rule \"{}\": {fault}", escaped(name, 64))))
}
