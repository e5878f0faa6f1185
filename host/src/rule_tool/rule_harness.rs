//! Shared by the commands: component files, settings, vectors, and a rule that is activated as on a gateway.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comatrix_sdk::vectors::cases;

use super::args::ComponentArgs;
use super::error::ToolError;
use contract::HeaderGrants;
use contract::escaping::escaped;
use runtime::{
    ActivationError, Candidate, Case, Engines, MAX_COMPONENT, Revision, RuleAccounting, RuleBinary,
    RuleLimits, check_name,
};
use store::file;

/// The first bytes of a core module: version 1, layer 0. A component has layer 1.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// An activated rule with the name of its file.
pub(super) struct RuleHarness {
    pub(super) revision: Arc<Revision>,
    /// Time for compiling, linking and describing.
    pub(super) activated_in: Duration,
}

impl RuleHarness {
    /// Activates a rule, without a cache. It may make all the calls that it needs.
    pub(super) fn activate(
        name: &str,
        component: &[u8],
        settings: &BTreeMap<String, String>,
        limits: RuleLimits,
        allow_headers: &HeaderGrants,
    ) -> Result<Result<Self, ActivationError>, ToolError> {
        let engines = Engines::new()?;
        let candidate = Candidate {
            state: &RuleAccounting::new(name, limits, None),
            code: &RuleBinary::from(component),
            number: 0,
            settings,
            limits,
            allow: None,
            allow_headers,
        };
        let began = Instant::now();
        let revision = Revision::activate(&engines, None, &candidate);
        Ok(revision.map(|revision| Self {
            revision: Arc::new(revision),
            activated_in: began.elapsed(),
        }))
    }

    /// Activates the rule of the command line.
    pub(super) fn open(args: &ComponentArgs) -> Result<Self, ToolError> {
        let name = name(&args.component)?;
        let settings = settings(&args.config)?;
        let component = read_component(&args.component)?;
        Ok(Self::activate(
            &name,
            &component,
            &settings,
            args.size.limits(),
            &header_grants(&args.allow_header)?,
        )??)
    }
}

/// The bytes of a component.
pub(super) fn read_component(path: &Path) -> Result<Vec<u8>, ToolError> {
    let component = file::read(path, MAX_COMPONENT)?;
    match component.starts_with(CORE_MODULE) {
        true => Err(ToolError::CoreModule(path.to_owned())),
        false => Ok(component),
    }
}

/// A rule's name: the file's, without its extension.
pub(super) fn name(component: &Path) -> Result<String, ToolError> {
    let stem = component.file_stem().unwrap_or_default();
    let name = stem.to_string_lossy().into_owned();
    check_name(&name).map_err(|fault| ToolError::Name {
        path: component.to_owned(),
        fault,
    })?;
    Ok(name)
}

/// The settings of `--config`.
pub(super) fn settings(config: &[String]) -> Result<BTreeMap<String, String>, ToolError> {
    let mut settings = BTreeMap::new();
    for text in config {
        let wrong = || ToolError::Setting(escaped(text, 100));
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        if settings.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(wrong());
        }
    }
    Ok(settings)
}

/// The headers of `--allow-header`.
pub(super) fn header_grants(names: &[String]) -> Result<HeaderGrants, ToolError> {
    HeaderGrants::new(names.to_vec())
        .map_err(|(name, fault)| ToolError::Header(escaped(&name, 100), fault))
}

/// The vectors of a folder.
pub(super) fn vectors(folder: Option<&Path>) -> Result<Vec<Case>, ToolError> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    cases(folder).map_err(|error| {
        ToolError::Vectors(format!(
            "{}; a vector is a folder with request.json, reply.json and, if the rule makes calls, calls.json",
            escaped(&error, 300)
        ))
    })
}

/// A number with a comma after each three digits.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn a_setting_is_a_key_and_a_value_once() {
        let config = |texts: &[&str]| {
            settings(
                &texts
                    .iter()
                    .map(|text| (*text).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            config(&["a=b=c", "d="]).unwrap(),
            BTreeMap::from([("a".into(), "b=c".into()), ("d".into(), String::new())])
        );
        for wrong in [&["a"][..], &["a=1", "a=2"]] {
            assert!(
                config(wrong)
                    .err()
                    .unwrap()
                    .to_string()
                    .contains("KEY=VALUE")
            );
        }
    }
}
