//! The time of day of the simulated router.

use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use contract::clock::Clock;
use tokio::time::Instant;

/// Unix time when a world begins.
const BEGIN: u64 = 1_800_000_000;

thread_local! {
    static SHOWN: Cell<Shown> = const { Cell::new(Shown::NotSet) };
}

/// What the clock shows.
#[derive(Clone, Copy)]
enum Shown {
    NotSet,
    /// The time since then, and so much.
    Since(Instant, Duration),
}

/// The clock as the gateway reads it.
pub fn clock() -> Clock {
    Clock::new(|| match SHOWN.get() {
        Shown::NotSet => UNIX_EPOCH,
        Shown::Since(start, before) => UNIX_EPOCH + before + start.elapsed(),
    })
}

/// Sets it to the right time.
pub fn set(start: Instant) {
    SHOWN.set(Shown::Since(start, Duration::from_secs(BEGIN)));
}

/// A router without a battery has its power back: its clock is not set.
pub fn unset() {
    SHOWN.set(Shown::NotSet);
}

/// Or goes on where it stood when the power was cut, as with a time that was saved.
pub fn stand_still(off: Duration) {
    if let Shown::Since(start, before) = SHOWN.get() {
        SHOWN.set(Shown::Since(start, before.saturating_sub(off)));
    }
}

/// The right time.
pub fn unix(start: Instant) -> u64 {
    BEGIN + start.elapsed().as_secs()
}
