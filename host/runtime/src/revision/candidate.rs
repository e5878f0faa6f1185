//! A revision before its activation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounting::RuleAccounting;
use crate::engine::rule_binary::RuleBinary;
use crate::limits::RuleLimits;
use contract::HeaderGrants;
use contract::grant::Grant;

/// The parts of a revision before it is linked.
pub struct Candidate<'a> {
    /// Shared by all revisions of the rule.
    pub state: &'a Arc<RuleAccounting>,
    /// The component, or its native code.
    pub code: &'a RuleBinary,
    /// Its author's number for it; 0 without one.
    pub number: u64,
    /// The operator's settings for the rule.
    pub settings: &'a BTreeMap<String, String>,
    /// Its limits.
    pub limits: RuleLimits,
    /// The calls that it may make; none for the rule that is part of the gateway: all that it describes as its needs.
    pub allow: Option<&'a [Grant]>,
    /// The headers that it may send in addition to those of every rule.
    pub allow_headers: &'a HeaderGrants,
}
