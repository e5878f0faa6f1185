//! The time of day: the only code that asks the system for it. A router without a battery for its clock starts in the
//! past; a device that gets a wrong time cannot detect that it is wrong.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// No gateway of this kind ran before 2025, so an earlier clock is not set. A package that is built with
/// `SOURCE_DATE_EPOCH` (reproducible-builds.org) has a later bound: the time of its build.
const EARLIEST: u64 = match option_env!("SOURCE_DATE_EPOCH") {
    Some(text) => match u64::from_str_radix(text, 10) {
        Ok(built) if built > FIRST_GATEWAY => built,
        _ => FIRST_GATEWAY,
    },
    None => FIRST_GATEWAY,
};
const FIRST_GATEWAY: u64 = 1_735_689_600;

/// The source of the time of day.
#[derive(Clone, Copy, Debug)]
pub struct Clock(fn() -> SystemTime);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(SystemTime::now)
    }

    /// Another clock.
    #[must_use]
    pub fn new(now: fn() -> SystemTime) -> Self {
        Self(now)
    }

    /// Unix time in seconds; none while the clock is not set.
    #[must_use]
    pub fn now(self) -> Option<u64> {
        if_set(self.0())
    }

    /// Its time for people, set or not.
    #[must_use]
    pub fn shown(self) -> String {
        date(self.0())
    }
}

fn if_set(moment: SystemTime) -> Option<u64> {
    let seconds = moment.duration_since(UNIX_EPOCH).ok()?.as_secs();
    (seconds >= EARLIEST).then_some(seconds)
}

/// A moment as HTTP writes it (RFC 9110 §5.6.7). The earliest is the year 1970, the latest 9999.
#[must_use]
pub fn date(moment: SystemTime) -> String {
    let end_of_9999 = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(moment.clamp(UNIX_EPOCH, end_of_9999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_before_the_first_gateway_is_not_set() {
        for (moment, now) in [
            (UNIX_EPOCH - Duration::from_secs(1), None),
            (UNIX_EPOCH, None),
            (UNIX_EPOCH + Duration::from_secs(EARLIEST - 1), None),
            (UNIX_EPOCH + Duration::from_secs(EARLIEST), Some(EARLIEST)),
        ] {
            assert_eq!(if_set(moment), now);
        }
        assert_eq!(Clock::new(|| UNIX_EPOCH).now(), None);
    }

    #[test]
    fn any_moment_is_shown() {
        assert_eq!(date(UNIX_EPOCH), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(UNIX_EPOCH - Duration::from_secs(1)), date(UNIX_EPOCH));
        let late = UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(date(late), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
