//! The log: its level, its limits and its writer.

mod level;
mod level_filter;
mod limiter;
mod lines;
mod window;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::telemetry::{log_message, operator};
pub use level::LogLevel;
pub use level_filter::Levels;
pub(crate) use limiter::INFO_PER_SECOND as REQUEST_LINES_PER_SECOND;
use limiter::Limiter;
pub use lines::Log;

/// Sends log lines of this level to standard error, by a thread of their own; not more than the limiter allows.
///
/// # Errors
/// The system's error if it starts no thread.
pub fn start(level: LogLevel) -> io::Result<Log> {
    let limiter = Arc::new(Mutex::new(Limiter::new()));
    let (shown, levels) = level_filter::new(level);
    let (log, lines) = lines::start(limiter.clone(), levels)?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(lines)
        .with_target(false)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_filter(Limited(limiter));
    // A second start (in tests) keeps the first.
    let _ = tracing_subscriber::registry()
        .with(shown)
        // Inside of the layer with a filter of its own: outside, every line would have to be built to find its level.
        .with(log.recent_warnings())
        .with(layer)
        .try_init();
    Ok(log)
}

/// Consults the limiter before a line is built.
struct Limited(Arc<Mutex<Limiter>>);

impl<S: Subscriber> Filter<S> for Limited {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let (now, metadata) = (Instant::now(), event.metadata());
        let limiter = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if metadata.target() == operator::TARGET {
            return limiter().admit_operator(now);
        }
        if *metadata.level() > Level::WARN {
            return limiter().admit(now, *metadata.level());
        }
        limiter().admit_warning(now, metadata.callsite(), &log_message::text(event))
    }
}
