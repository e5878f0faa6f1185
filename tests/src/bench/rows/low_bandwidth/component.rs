//! The size of the rule: a router has few megabytes.

use super::super::super::report::{Row, Target};

/// The component as the gateway has it.
pub fn measure() -> Row {
    Row {
        name: "low bandwidth: component".to_owned(),
        figure: runtime::MSC3079_RULE.len() as f64 / 1e3,
        unit: "kB",
        baseline: Some(("default rule", runtime::DEFAULT_RULE.len() as f64 / 1e3)),
        ratio: None,
        target: Target::AtMost(220.0),
        runs: 1,
        notes: String::new(),
    }
}
