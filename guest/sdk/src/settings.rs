//! The operator's settings for a rule. The gateway passes it to each call; logic takes `&dyn Settings`, so
//! that tests can write it as they like.

use std::collections::BTreeMap;

/// The rule's own settings.
pub trait Settings {
    /// The value of `key`; absent if the operator has not set it.
    fn get(&self, key: &str) -> Option<&str>;

    /// All keys that are set.
    fn keys(&self) -> Vec<&str>;
}

/// As the contract has them (`types.settings`).
impl Settings for Vec<(String, String)> {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.iter().map(|(key, _)| key.as_str()).collect()
    }
}

impl Settings for BTreeMap<String, String> {
    fn get(&self, key: &str) -> Option<&str> {
        BTreeMap::get(self, key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        BTreeMap::keys(self).map(String::as_str).collect()
    }
}

impl<const N: usize> Settings for [(&str, &str); N] {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| *value)
    }

    fn keys(&self) -> Vec<&str> {
        self.iter().map(|(key, _)| *key).collect()
    }
}
