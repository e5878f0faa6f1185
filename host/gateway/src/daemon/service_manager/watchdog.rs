//! The watchdog of the service manager, which restarts a stuck gateway (sd_watchdog_enabled(3)).

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::notify::send;

/// The shortest interval: the event loop must do more than notify the watchdog.
const SHORTEST: Duration = Duration::from_millis(1);

/// The time of the next notification. The event loop sends it, so that a stuck loop sends none.
#[derive(Debug)]
pub struct Watchdog {
    interval: Duration,
    /// None without a watchdog.
    next: Option<Instant>,
    /// Whether the log has the error already.
    has_warned: bool,
}

impl Watchdog {
    /// From `WATCHDOG_USEC`, for this process. The first notification is due at once.
    #[must_use]
    pub fn from_environment(now: Instant) -> Self {
        Self::new(sd_notify::watchdog_enabled(), now)
    }

    fn new(period: Option<Duration>, now: Instant) -> Self {
        let period = period.filter(|period| !period.is_zero());
        Self {
            // Half of it, as sd_watchdog_enabled(3) recommends.
            interval: (period.unwrap_or_default() / 2).max(SHORTEST),
            next: period.map(|_| now),
            has_warned: false,
        }
    }

    /// The time at which the loop must call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Notifies the watchdog, if that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.is_due(now) {
            return;
        }
        if let Err(error) = send(&[NotifyState::Watchdog])
            && !std::mem::replace(&mut self.has_warned, true)
        {
            tracing::warn!(
                "cannot notify the service manager at NOTIFY_SOCKET: {error}; it may stop the gateway"
            );
        }
    }

    /// Whether a notification is due; if so, the next one is due after an interval.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.next.is_some_and(|next| next <= now);
        if due {
            // Counted from now: after a delay, missed notifications are not sent.
            self.next = Some(now + self.interval);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_due_at_once_and_then_twice_in_the_period() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(Some(Duration::from_secs(30)), start);
        assert!(watchdog.is_due(start) && !watchdog.is_due(start));
        assert_eq!(
            watchdog.next_timeout(),
            Some(start + Duration::from_secs(15))
        );
        assert!(!watchdog.is_due(start + Duration::from_secs(14)));
        // The loop was busy for a minute: one notification, and the next one 15 s later.
        let late = start + Duration::from_secs(60);
        assert!(watchdog.is_due(late) && !watchdog.is_due(late));
        assert_eq!(
            watchdog.next_timeout(),
            Some(late + Duration::from_secs(15))
        );
    }

    #[test]
    fn none_is_due_without_a_watchdog() {
        for period in [None, Some(Duration::ZERO)] {
            let mut watchdog = Watchdog::new(period, Instant::now());
            assert_eq!(watchdog.next_timeout(), None);
            assert!(!watchdog.is_due(Instant::now()));
        }
    }

    #[test]
    fn a_very_short_period_leaves_the_loop_time_for_other_work() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(Some(Duration::from_micros(1)), start);
        assert!(watchdog.is_due(start));
        assert_eq!(watchdog.next_timeout(), Some(start + SHORTEST));
    }
}
