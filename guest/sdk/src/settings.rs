//! What the operator has configured for a rule, as a value: logic takes `&dyn Settings`, the rule's edge passes
//! [`HostSettings`], and tests pass a map.

use std::collections::BTreeMap;

use crate::bindings::config;

/// The rule's own settings.
pub trait Settings {
    /// The value of `key`; absent if the operator has not set it.
    fn get(&self, key: &str) -> Option<String>;
}

/// The settings that the gateway holds (`[rule.config]` of its configuration file). Only inside a gateway: natively
/// a call panics.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostSettings;

impl Settings for HostSettings {
    fn get(&self, key: &str) -> Option<String> {
        config::get(key)
    }
}

impl Settings for BTreeMap<String, String> {
    fn get(&self, key: &str) -> Option<String> {
        BTreeMap::get(self, key).cloned()
    }
}

impl<const N: usize> Settings for [(&str, &str); N] {
    fn get(&self, key: &str) -> Option<String> {
        self.iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| (*value).to_owned())
    }
}
