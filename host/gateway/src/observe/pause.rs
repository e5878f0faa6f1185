//! How long a poll pauses after a failure.

use std::time::Duration;

/// After the first failure; doubled by each further one.
const FIRST: Duration = Duration::from_secs(1);
/// A homeserver that was away for a day is found again within this time.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest that a homeserver can ask for: one that means hours is asked again nevertheless.
const LONGEST_WANTED: Duration = Duration::from_secs(600);

/// The pause after `failures` in a row. `wanted`: seconds that the rule's failure asks for. A quarter is left to chance, so that
/// gateways do not come back in step.
pub(super) fn pause(failures: u32, wanted: Option<u32>) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10));
    let wanted = Duration::from_secs(wanted.unwrap_or(0).into()).min(LONGEST_WANTED);
    let chance = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    doubled.min(LONGEST).max(wanted).mul_f64(1.0 + chance / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_respect_what_the_homeserver_wants() {
        let within = |failures, wanted, seconds: f64| {
            let pause = pause(failures, wanted).as_secs_f64();
            assert!((seconds..=seconds * 1.25).contains(&pause), "{pause}");
        };
        within(1, None, 1.0);
        within(3, None, 4.0);
        within(1000, None, 60.0);
        within(1, Some(30), 30.0);
        within(1, Some(100_000), 600.0);
    }
}
