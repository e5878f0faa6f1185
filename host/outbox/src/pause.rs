//! Growing pauses.

use std::time::Duration;

/// After the first failure. Each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// A homeserver that was gone for a day is found within this time.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest pause that a homeserver can ask for (Retry-After): one that asks for hours is asked earlier.
pub(crate) const LONGEST_REQUESTED: Duration = Duration::from_secs(600);

/// Makes pauses with jitter. The numbers must differ between gateways, not be secret: xorshift64*.
#[derive(Debug)]
pub(crate) struct Pauses(u64);

impl Pauses {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds that differ in a bit give sequences that do not resemble each other; zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The pause after `failures` in a row: 1 s, 2 s, … 60 s, and up to a half more.
    pub(crate) fn after(&mut self, failures: u32) -> Duration {
        let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(6));
        self.jitter(doubled.min(LONGEST))
    }

    /// The pause that a homeserver asked for, and up to a half more.
    pub(crate) fn requested(&mut self, pause: Duration) -> Duration {
        self.jitter(pause.clamp(FIRST, LONGEST_REQUESTED))
    }

    fn jitter(&mut self, pause: Duration) -> Duration {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56;
        pause + pause.mul_f64(random as f64 / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_minute_and_differ_between_gateways() {
        let mut pauses = Pauses::new(7);
        for (failures, seconds) in [(1, 1.0), (2, 2.0), (3, 4.0), (7, 60.0), (1000, 60.0)] {
            let pause = pauses.after(failures).as_secs_f64();
            assert!((seconds..=1.5 * seconds).contains(&pause), "{pause}");
        }
        let of = |seed| {
            let mut pauses = Pauses::new(seed);
            std::iter::repeat_with(move || pauses.after(5)).take(8)
        };
        assert!(of(7).ne(of(8)));
    }

    #[test]
    fn a_homeserver_cannot_ask_for_more_than_ten_minutes() {
        let mut pauses = Pauses::new(7);
        let pause = pauses.requested(Duration::from_secs(86_400));
        assert!(pause <= LONGEST_REQUESTED.mul_f64(1.5));
        assert!(pauses.requested(Duration::ZERO) >= FIRST);
    }
}
