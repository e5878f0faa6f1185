//! Where log lines go, and whose are shown.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::LogLevel;

/// Lines that wait for whoever reads the log, about half a megabyte. A reader that stops must not stop the gateway.
const WAITING_LINES: usize = 1024;
/// At the end, the time for what still waits.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Writes what is left when it is dropped.
pub struct Log {
    lines: Lines,
    written: Receiver<()>,
}

impl Drop for Log {
    fn drop(&mut self) {
        // An empty line means the end. A reader that has stopped for good is not waited for.
        if self.lines.queue.try_send(Vec::new()).is_ok() {
            let _ = self.written.recv_timeout(LAST_WORDS);
        }
    }
}

/// Sends log lines of this level to standard error, by a thread of their own. Libraries are held to warnings: at finer
/// levels an HTTP library prints headers, and so tokens.
///
/// # Errors
/// The system's, when it gives no thread.
pub fn start(level: LogLevel) -> io::Result<Log> {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let targets = Targets::new()
        .with_target("comatrix_gateway", level)
        .with_default(level.min(LevelFilter::WARN));
    let (queue, waiting) = sync_channel(WAITING_LINES);
    let (finished, written) = sync_channel(1);
    let dropped = Arc::new(AtomicU64::new(0));
    let lines = Lines {
        queue,
        dropped: dropped.clone(),
    };
    thread::Builder::new()
        .name("log".into())
        .stack_size(64 << 10)
        .spawn(move || {
            write_lines(&waiting, &dropped, &mut io::stderr());
            let _ = finished.send(());
        })?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer({
            let lines = lines.clone();
            move || lines.clone()
        })
        .with_target(false)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    // A second start (in tests) keeps the first.
    let _ = tracing_subscriber::registry()
        .with(layer)
        .with(targets)
        .try_init();
    Ok(Log { lines, written })
}

/// The data path's end of the queue: it never waits.
#[derive(Clone)]
struct Lines {
    queue: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

impl Write for Lines {
    /// The subscriber writes each line with one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(line.to_vec()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines until the empty one, and says how many there was no room for.
fn write_lines(waiting: &Receiver<Vec<u8>>, dropped: &AtomicU64, out: &mut impl Write) {
    for line in waiting.iter().take_while(|line| !line.is_empty()) {
        // A log that cannot be written (a full disk, a closed pipe) leaves nobody to tell.
        let _ = out.write_all(&line);
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            let _ = writeln!(
                out,
                "{count} log lines dropped: whoever reads them is too slow"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_stops_costs_lines_and_not_the_gateway() {
        let (queue, waiting) = sync_channel(2);
        let dropped = Arc::new(AtomicU64::new(0));
        let mut lines = Lines {
            queue,
            dropped: dropped.clone(),
        };
        for line in ["1\n", "2\n", "3\n", "4\n"] {
            assert_eq!(lines.write(line.as_bytes()).unwrap(), 2);
        }
        drop(lines);
        let mut out = Vec::new();
        write_lines(&waiting, &dropped, &mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("1\n2 log lines dropped"), "{out}");
        assert!(out.ends_with("2\n") && !out.contains('3'), "{out}");
    }
}
