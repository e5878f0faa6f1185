//! Levels of the log.

use clap::ValueEnum;

/// Levels of the log; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What keeps the gateway from working.
    Error,
    /// What an operator should look at.
    Warn,
    /// One line per exchange.
    Info,
    /// What the rules say for debugging.
    Debug,
    /// Everything.
    Trace,
}
