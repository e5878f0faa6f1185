//! Levels of the log.

use clap::ValueEnum;

/// Levels of the log; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Faults that stop the gateway or a rule.
    Error,
    /// Faults that an operator should look into.
    Warn,
    /// One line per request.
    Info,
    /// Debug lines of the rules.
    Debug,
    /// Everything.
    Trace,
}
