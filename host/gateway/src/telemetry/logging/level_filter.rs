//! The level from which on lines are logged. It can change while the gateway runs.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;

use super::level::LogLevel;

/// Which lines are shown; it can be changed while the gateway runs.
#[derive(Clone)]
pub struct Levels(reload::Handle<Targets, Registry>);

impl Levels {
    /// Shows lines of this level from now on.
    pub fn show(&self, level: LogLevel) {
        // Where another log is (in tests), that one stays as it is.
        let _ = self.0.reload(targets(level));
    }
}

/// The filter of a level, and its handle.
pub(super) fn new(level: LogLevel) -> (reload::Layer<Targets, Registry>, Levels) {
    let (filter, handle) = reload::Layer::new(targets(level));
    (filter, Levels(handle))
}

/// Libraries are held to warnings: at finer levels an HTTP library prints headers, and so tokens.
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
