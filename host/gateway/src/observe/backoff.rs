//! The pause of a poll after a failure.

use std::time::Duration;

/// After the first failure. Each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The gateway finds a homeserver that was unreachable for a day within this time.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest pause that a homeserver can request: one that requests hours is polled earlier.
const LONGEST_REQUESTED: Duration = Duration::from_secs(600);

/// The pause after `failures` in a row. `requested`: the seconds that the rule's failure requests. A random quarter is
/// added, so that gateways do not come back in step.
pub(super) fn pause(failures: u32, requested: Option<u32>) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10));
    let requested = Duration::from_secs(requested.unwrap_or(0).into()).min(LONGEST_REQUESTED);
    let random = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    let pause = doubled.min(LONGEST).max(requested);
    pause.mul_f64(1.0 + random / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_respect_the_homeservers_request() {
        let within = |failures, requested, seconds: f64| {
            let pause = pause(failures, requested).as_secs_f64();
            assert!((seconds..=seconds * 1.25).contains(&pause), "{pause}");
        };
        within(1, None, 1.0);
        within(3, None, 4.0);
        within(1000, None, 60.0);
        within(1, Some(30), 30.0);
        within(1, Some(100_000), 600.0);
    }
}
