//! The queue of log lines, and the thread that writes them.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::level_filter::Levels;
use super::limiter::Limiter;
use crate::telemetry::operator;
use crate::telemetry::recent_warnings::RecentWarnings;

/// Lines in the queue for the reader of the log, about half a megabyte. A reader that stops must not stop the gateway.
const WAITING_LINES: usize = 1024;
/// Room in the queue beside them, for lines about the operation: hours of an operator's commands.
const WAITING_OPERATOR_LINES: usize = 256;
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
        let end = Line {
            text: Vec::new(),
            is_of_operator: true,
        };
        if self.lines.queue.try_send(end).is_ok() {
            let _ = self.written.recv_timeout(FLUSH_TIME);
        }
    }
}

/// Starts the thread that writes to standard error.
///
/// # Errors
/// The system's error if it starts none.
pub(super) fn start(limiter: Arc<Mutex<Limiter>>, levels: Levels) -> io::Result<(Log, Lines)> {
    let (queue, waiting) = sync_channel(WAITING_LINES + WAITING_OPERATOR_LINES);
    let (finished, written) = sync_channel(1);
    let lines = Lines {
        queue,
        counts: Arc::default(),
        is_of_operator: false,
    };
    let counts = lines.counts.clone();
    thread::Builder::new()
        .name("log".into())
        .stack_size(64 << 10)
        .spawn(move || {
            write_lines(&waiting, &counts, &limiter, &mut io::stderr());
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

/// A line in the queue.
struct Line {
    text: Vec<u8>,
    is_of_operator: bool,
}

/// The lines of devices.
#[derive(Default)]
struct Counts {
    /// In the queue.
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

/// The data path's end of the queue: it never waits.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Line>,
    counts: Arc<Counts>,
    is_of_operator: bool,
}

impl Write for Lines {
    /// The subscriber writes each line with one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Counts { waiting, dropped } = &*self.counts;
        if !self.is_of_operator && waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_LINES {
            waiting.fetch_sub(1, Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
            return Ok(line.len());
        }
        let queued = self.queue.try_send(Line {
            text: line.to_vec(),
            is_of_operator: self.is_of_operator,
        });
        if let Err(TrySendError::Full(line)) = queued {
            dropped.fetch_add(1, Ordering::Relaxed);
            waiting.fetch_sub(usize::from(!line.is_of_operator), Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }

    fn make_writer_for(&'a self, line: &Metadata<'_>) -> Self {
        Self {
            is_of_operator: line.target() == operator::TARGET,
            ..self.clone()
        }
    }
}

/// Writes lines until the empty one, with the numbers of lines that were left out or dropped.
fn write_lines(
    waiting: &Receiver<Line>,
    counts: &Counts,
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
            Ok(line) if line.text.is_empty() => break,
            Ok(line) => {
                let of_devices = usize::from(!line.is_of_operator);
                counts.waiting.fetch_sub(of_devices, Ordering::Relaxed);
                drop(out.write_all(&line.text));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let count = counts.dropped.swap(0, Ordering::Relaxed);
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

    /// What is written of lines that come while the reader of the log has stopped: `true` is a line of an operator.
    fn written(lines: &[(bool, &str)]) -> String {
        let (queue, waiting) = sync_channel(WAITING_LINES + WAITING_OPERATOR_LINES);
        let counts = Arc::new(Counts::default());
        for (is_of_operator, line) in lines {
            let mut lines = Lines {
                queue: queue.clone(),
                counts: counts.clone(),
                is_of_operator: *is_of_operator,
            };
            assert_eq!(lines.write(line.as_bytes()).unwrap(), line.len());
        }
        drop(queue);
        let mut out = Vec::new();
        let limiter = Mutex::new(Limiter::new());
        write_lines(&waiting, &counts, &limiter, &mut out);
        assert_eq!(counts.waiting.load(Ordering::Relaxed), 0);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_reader_that_stops_costs_lines_and_not_the_gateway() {
        let lines = [(false, "1\n"); WAITING_LINES + 2];
        let out = written(&lines);
        assert!(out.starts_with("1\n2 log lines dropped"), "{out}");
        assert_eq!(out.lines().count(), WAITING_LINES + 1);
    }

    #[test]
    fn lines_of_devices_leave_room_for_the_operators() {
        let mut lines = vec![(false, "device\n"); 2 * WAITING_LINES];
        lines.extend([(true, "swapped\n"); WAITING_OPERATOR_LINES]);
        let out = written(&lines);
        assert_eq!(out.matches("swapped").count(), WAITING_OPERATOR_LINES);
        assert_eq!(out.matches("device").count(), WAITING_LINES);
    }
}
