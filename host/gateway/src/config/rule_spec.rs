//! The configuration of a rule.

use std::collections::BTreeMap;

use super::component::Component;
use contract::{Grant, HeaderGrants};
use runtime::RuleLimits;

/// Component, mount, rights and limits of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// Its name: in logs, commands and manifests.
    pub name: String,
    /// Where its component comes from.
    pub component: Component,
    /// The path segments in front of its links.
    pub mount: Vec<String>,
    /// The rule's own settings.
    pub settings: BTreeMap<String, String>,
    /// Homeserver calls that it may make. A built-in rule needs no grant; a component in its place needs them.
    pub allow: Vec<Grant>,
    /// Headers that these calls may have in addition to those of every rule.
    pub allow_headers: HeaderGrants,
    /// Limits of its resources.
    pub limits: RuleLimits,
    /// Whether only a signed component is activated.
    pub require_signature: bool,
}
