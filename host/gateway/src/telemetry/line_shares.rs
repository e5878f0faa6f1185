//! The lines of requests in the log, by host: one that sends without end does not push the lines of others out.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use share::{Amount, Bounds, Owner, Shares};

use super::logging::REQUEST_LINES_PER_SECOND;

/// The share of a host is an eighth of the lines of a second.
const BOUNDS: Bounds = Bounds::of_pieces(REQUEST_LINES_PER_SECOND as usize);
/// Lines that any host may take first: where one host alone sends, its lines are of use.
const UNSHARED: usize = BOUNDS.pieces.in_all / 2;
const SECOND: Duration = Duration::from_secs(1);

/// The lines of this second.
#[derive(Default)]
pub(crate) struct LineShares(RefCell<Option<Lines>>);

struct Lines {
    began: Instant,
    shares: Shares,
    left_out: u64,
}

impl LineShares {
    /// Whether the line of a request of this host may be written.
    pub(crate) fn admit(&self, now: Instant, owner: Owner) -> bool {
        self.report(now);
        let mut lines = self.0.borrow_mut();
        let lines = lines.get_or_insert_with(|| Lines {
            began: now,
            shares: Shares::new(BOUNDS),
            left_out: 0,
        });
        let line = Amount::piece(0);
        if lines.shares.in_all().pieces < UNSHARED {
            lines.shares.add(owner, line);
            return true;
        }
        let is_admitted = lines.shares.take(owner, line).is_ok();
        lines.left_out += u64::from(!is_admitted);
        is_admitted
    }

    /// Ends a second that is over, and writes the number of lines that were left out in it.
    pub(crate) fn report(&self, now: Instant) {
        let is_over = |lines: &mut Lines| now >= lines.began + SECOND;
        let over = self.0.borrow_mut().take_if(is_over);
        if let Some(count) = over.map(|over| over.left_out).filter(|count| *count > 0) {
            tracing::info!("{count} lines of requests of hosts above their share left out");
        }
    }

    /// When the number of lines that were left out is due; none if all were written.
    pub(crate) fn next(&self) -> Option<Instant> {
        let lines = self.0.borrow();
        let lines = lines.as_ref().filter(|lines| lines.left_out > 0)?;
        Some(lines.began + SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_sends_without_end_leaves_half_of_the_lines_to_others() {
        let (shares, start) = (LineShares::default(), Instant::now());
        let admitted = |host: u64, now: Instant| {
            let admit = |_: &u32| shares.admit(now, Owner::new(host, None));
            (0..1000).filter(admit).count()
        };
        let all = BOUNDS.pieces.in_all;
        assert_eq!(admitted(1, start), all / 2);
        for host in 2..=5 {
            assert_eq!(admitted(host, start), all / 8);
        }
        assert_eq!(admitted(1, start + SECOND), all / 2, "in the next second");
    }

    #[test]
    fn what_was_left_out_is_reported_when_the_second_is_over_without_another_request() {
        let (shares, start) = (LineShares::default(), Instant::now());
        let host = Owner::new(1, None);
        assert!(shares.admit(start, host));
        assert_eq!(shares.next(), None, "nothing to report");
        while shares.admit(start, host) {}
        assert_eq!(shares.next(), Some(start + SECOND));
        shares.report(start + SECOND / 2);
        assert_eq!(shares.next(), Some(start + SECOND));
        shares.report(start + SECOND);
        assert_eq!(shares.next(), None);
    }
}
