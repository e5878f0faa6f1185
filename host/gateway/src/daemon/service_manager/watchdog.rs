//! Signs of life for a service manager that restarts what is stuck (sd_watchdog_enabled(3)).

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::notify::send;

/// However short the manager's patience is: signs of life must not be all that the loop does.
const SHORTEST: Duration = Duration::from_millis(1);

/// When the next sign of life is due. It is given by the serving loop itself, so that a loop that is stuck gives none.
#[derive(Debug)]
pub struct Watchdog {
    interval: Duration,
    /// None where nobody watches.
    next: Option<Instant>,
    /// Whether the log says that nobody hears it: once is enough.
    unheard: bool,
}

impl Watchdog {
    /// As `WATCHDOG_USEC` has it, for this process. The first sign is due at once.
    #[must_use]
    pub fn from_environment(now: Instant) -> Self {
        Self::new(sd_notify::watchdog_enabled(), now)
    }

    fn new(patience: Option<Duration>, now: Instant) -> Self {
        let patience = patience.filter(|patience| !patience.is_zero());
        Self {
            // Half of it, as sd_watchdog_enabled(3) recommends.
            interval: (patience.unwrap_or_default() / 2).max(SHORTEST),
            next: patience.map(|_| now),
            unheard: false,
        }
    }

    /// When the loop must come round.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Gives a sign of life, if one is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.is_due(now) {
            return;
        }
        if let Err(error) = send(&[NotifyState::Watchdog])
            && !std::mem::replace(&mut self.unheard, true)
        {
            tracing::warn!(
                "the service manager at NOTIFY_SOCKET does not hear the gateway: {error}; it may end it"
            );
        }
    }

    /// Whether a sign is due; if so, the next one is an interval away.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.next.is_some_and(|next| next <= now);
        if due {
            // From now on and not from when it was due: after a pause no signs are made up for.
            self.next = Some(now + self.interval);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_due_at_once_and_then_twice_in_the_managers_patience() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(Some(Duration::from_secs(30)), start);
        assert!(watchdog.is_due(start) && !watchdog.is_due(start));
        assert_eq!(
            watchdog.next_timeout(),
            Some(start + Duration::from_secs(15))
        );
        assert!(!watchdog.is_due(start + Duration::from_secs(14)));
        // The loop was busy for a minute: one sign, and the next 15 s later.
        let late = start + Duration::from_secs(60);
        assert!(watchdog.is_due(late) && !watchdog.is_due(late));
        assert_eq!(
            watchdog.next_timeout(),
            Some(late + Duration::from_secs(15))
        );
    }

    #[test]
    fn none_is_due_where_nobody_watches() {
        for patience in [None, Some(Duration::ZERO)] {
            let mut watchdog = Watchdog::new(patience, Instant::now());
            assert_eq!(watchdog.next_timeout(), None);
            assert!(!watchdog.is_due(Instant::now()));
        }
    }

    #[test]
    fn however_short_the_patience_is_the_loop_does_other_things_too() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(Some(Duration::from_micros(1)), start);
        assert!(watchdog.is_due(start));
        assert_eq!(watchdog.next_timeout(), Some(start + SHORTEST));
    }
}
