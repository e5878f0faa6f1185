//! A rule as the configuration has it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use contract::Grant;
use runtime::RuleLimits;

/// What is to serve where, with which rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// Its name: in logs, commands and manifests.
    pub name: String,
    /// The component's file; none for the rule that the gateway comes with.
    pub component: Option<PathBuf>,
    /// The path segments before those of its links.
    pub mount: Vec<String>,
    /// The rule's own settings.
    pub settings: BTreeMap<String, String>,
    /// What it may call. The rule that is part of the gateway needs no grant; a component in its place does.
    pub allow: Vec<Grant>,
    /// What it may use.
    pub limits: RuleLimits,
    /// Whether only a signed component is activated.
    pub require_signature: bool,
}
