//! The computations that addresses get which have not proven themselves: anybody can forge one.

use std::time::{Duration, Instant};

/// Computations at once: as many as unproven addresses may have sessions.
const BURST: u32 = 32;
/// Time for one more. With half a millisecond for each on a small server, and five on a router, they take at most a
/// twenty-fifth of the processor.
const EACH: Duration = Duration::from_millis(125);

/// A token bucket.
#[derive(Debug)]
pub(super) struct Budget {
    full_at: Option<Instant>,
}

impl Budget {
    pub(super) fn full() -> Self {
        Self { full_at: None }
    }

    /// Takes one computation, if there is one left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let after = self.full_at.map_or(now, |full_at| full_at.max(now)) + EACH;
        let is_left = after <= now + EACH * BURST;
        if is_left {
            self.full_at = Some(after);
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_computed_at_once_and_then_eight_in_a_second() {
        let (start, mut budget) = (Instant::now(), Budget::full());
        let mut taken = |at| (0..1_000).filter(|_| budget.take(start + at)).count();
        assert_eq!(taken(Duration::ZERO), 32);
        assert_eq!(taken(Duration::from_secs(1)), 8);
        assert_eq!(taken(Duration::from_secs(3600)), 32);
    }
}
