//! The queue of log lines, and the thread that writes them.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::level_filter::Levels;
use super::limiter::Limiter;
use crate::telemetry::recent_warnings::RecentWarnings;

/// Lines in the queue for the reader of the log, about half a megabyte. A reader that stops must not stop the gateway.
const WAITING_LINES: usize = 1024;
/// At the end, the time for the lines that are still in the queue.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// The log. When it is dropped, it writes the lines that are left.
pub struct Log {
    lines: Lines,
    written: Receiver<()>,
    levels: Levels,
    recent_warnings: RecentWarnings,
}

impl Log {
    /// The handle of the log level.
    #[must_use]
    pub fn levels(&self) -> Levels {
        self.levels.clone()
    }

    /// The last warnings and errors.
    #[must_use]
    pub fn recent_warnings(&self) -> RecentWarnings {
        self.recent_warnings.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // An empty line means the end. The log does not wait for a reader that has stopped.
        if self.lines.queue.try_send(Vec::new()).is_ok() {
            let _ = self.written.recv_timeout(FLUSH_TIME);
        }
    }
}

/// Starts the thread that writes to standard error.
///
/// # Errors
/// The system's error if it starts none.
pub(super) fn start(limiter: Arc<Mutex<Limiter>>, levels: Levels) -> io::Result<(Log, Lines)> {
    let (queue, waiting) = sync_channel(WAITING_LINES);
    let (finished, written) = sync_channel(1);
    let lines = Lines {
        queue,
        dropped: Arc::default(),
    };
    let dropped = lines.dropped.clone();
    thread::Builder::new()
        .name("log".into())
        .stack_size(64 << 10)
        .spawn(move || {
            write_lines(&waiting, &dropped, &limiter, &mut io::stderr());
            let _ = finished.send(());
        })?;
    let log = Log {
        lines: lines.clone(),
        written,
        levels,
        recent_warnings: RecentWarnings::default(),
    };
    Ok((log, lines))
}

/// The data path's end of the queue: it never waits.
#[derive(Clone)]
pub(super) struct Lines {
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

/// Writes lines until the empty one, with the numbers of lines that were left out or dropped.
fn write_lines(
    waiting: &Receiver<Vec<u8>>,
    dropped: &AtomicU64,
    limiter: &Mutex<Limiter>,
    out: &mut impl Write,
) {
    let limiter =
        || -> MutexGuard<'_, Limiter> { limiter.lock().unwrap_or_else(PoisonError::into_inner) };
    // Write errors (a full disk, a closed pipe) are ignored: there is no other place to report them.
    loop {
        let next = limiter().next();
        let line = match next {
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => waiting.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match line {
            Ok(line) if line.is_empty() => break,
            Ok(line) => drop(out.write_all(&line)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            let _ = writeln!(
                out,
                "{count} log lines dropped: the reader of the log is too slow"
            );
        }
        let counts = limiter().due(Instant::now());
        counts.iter().for_each(|line| drop(writeln!(out, "{line}")));
    }
    let counts = limiter().end();
    counts.iter().for_each(|line| drop(writeln!(out, "{line}")));
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
        let limiter = Mutex::new(Limiter::new());
        write_lines(&waiting, &dropped, &limiter, &mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("1\n2 log lines dropped"), "{out}");
        assert!(out.ends_with("2\n") && !out.contains('3'), "{out}");
    }
}
