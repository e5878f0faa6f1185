//! The level from which on lines are logged. It can change while the gateway runs.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;

use super::level::LogLevel;

/// Changes the log level of a running gateway.
#[derive(Clone)]
pub struct Levels(reload::Handle<Targets, Registry>);

impl Levels {
    /// Logs lines of this level from now on.
    pub fn show(&self, level: LogLevel) {
        // With another log (in tests) nothing changes.
        let _ = self.0.reload(targets(level));
    }
}

/// The filter of a level, and its handle.
pub(super) fn new(level: LogLevel) -> (reload::Layer<Targets, Registry>, Levels) {
    let (filter, handle) = reload::Layer::new(targets(level));
    (filter, Levels(handle))
}

/// Libraries log warnings and errors only: at finer levels an HTTP library prints headers, and with them tokens.
fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_target("comatrix_", level)
        .with_default(level.min(LevelFilter::WARN))
}
