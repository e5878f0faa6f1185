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
        let mut lines = self.0.borrow_mut();
        if let Some(over) = lines.take_if(|lines| now >= lines.began + SECOND)
            && over.left_out > 0
        {
            let count = over.left_out;
            tracing::info!("{count} lines of requests of hosts above their share left out");
        }
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
}
