//! A log line about requests that the CoAP endpoint refused itself: they reach no resource and so have no line of their
//! own in the log.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use coap::Counters;
use coap::code::Dotted;
use contract::peer::canonical;

/// At most one line in this time, so that a flood of datagrams does not fill the log.
const INTERVAL: Duration = Duration::from_secs(60);

/// Keeps the counters of the last line.
#[derive(Default)]
pub struct RefusalLog {
    reported: Counters,
    /// When the next line may be written.
    next: Option<Instant>,
}

/// A line for the log.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether a limit of the gateway was reached, so that requests without a fault were refused.
    pub limit_reached: bool,
    /// The line.
    pub line: String,
}

impl RefusalLog {
    /// The refusals since the last report, unless that is too recent. `latest` is the last refused request: its device
    /// and its response code.
    pub fn poll(
        &mut self,
        now: Instant,
        counters: &Counters,
        latest: Option<(SocketAddr, u8)>,
    ) -> Option<Report> {
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        self.next = None;
        let mut line = String::from("refused before any rule:");
        let (mut changed, mut limit_reached) = (false, false);
        for (name, is_bound, count, reported) in noteworthy(counters, &self.reported) {
            if count > reported {
                changed = true;
                limit_reached |= is_bound;
                let _ = write!(line, " {name}={}", count - reported);
            }
        }
        if !changed {
            return None;
        }
        if let Some((peer, code)) = latest {
            let _ = write!(
                line,
                "; the last was {} to {}",
                Dotted(code),
                canonical(peer)
            );
        }
        self.reported = counters.clone();
        self.next = Some(now + INTERVAL);
        Some(Report {
            limit_reached,
            line,
        })
    }

    /// The time of the next report; none if a report is possible at once.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.next
    }
}

/// Name, whether it is a limit of the gateway, and the counts now and at the last report.
fn noteworthy(now: &Counters, reported: &Counters) -> [(&'static str, bool, u64, u64); 16] {
    [
        ("malformed", false, now.malformed, reported.malformed),
        ("bad-option", false, now.bad_options, reported.bad_options),
        (
            "too-many-options",
            false,
            now.excessive_options,
            reported.excessive_options,
        ),
        ("blocks-missing", false, now.incomplete, reported.incomplete),
        ("too-large", false, now.too_large, reported.too_large),
        (
            "too-many-in-flight",
            true,
            now.overloaded,
            reported.overloaded,
        ),
        (
            "no-room-for-body",
            true,
            now.bodies_refused,
            reported.bodies_refused,
        ),
        (
            "no-message-id",
            true,
            now.message_ids_exhausted,
            reported.message_ids_exhausted,
        ),
        (
            "observations-refused",
            true,
            now.observations_refused,
            reported.observations_refused,
        ),
        (
            "observations-displaced",
            true,
            now.observations_displaced,
            reported.observations_displaced,
        ),
        ("never-acknowledged", false, now.given_up, reported.given_up),
        (
            "above-its-rate",
            false,
            now.rate_limited,
            reported.rate_limited,
        ),
        (
            "resets-withheld",
            true,
            now.resets_withheld,
            reported.resets_withheld,
        ),
        (
            "peers-forgotten",
            true,
            now.peers_forgotten,
            reported.peers_forgotten,
        ),
        (
            "retransmissions-withheld",
            false,
            now.retransmissions_withheld,
            reported.retransmissions_withheld,
        ),
        (
            "multicast-responses-dropped",
            true,
            now.multicast_responses_dropped,
            reported.multicast_responses_dropped,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(malformed: u64, overloaded: u64) -> Counters {
        Counters {
            malformed,
            overloaded,
            datagrams: 1000,
            ..Counters::default()
        }
    }

    #[test]
    fn refusals_are_reported_once_and_at_most_once_a_minute() {
        let mut report = RefusalLog::default();
        let start = Instant::now();
        assert_eq!(report.poll(start, &counted(0, 0), None), None);
        let peer = "[::ffff:192.0.2.1]:5683".parse().unwrap();
        let first = report.poll(start, &counted(3, 0), Some((peer, 0x82)));
        let line = "refused before any rule: malformed=3; the last was 4.02 to 192.0.2.1:5683";
        assert_eq!(
            first,
            Some(Report {
                limit_reached: false,
                line: line.to_owned()
            })
        );
        let soon = start + Duration::from_secs(59);
        assert_eq!(report.poll(soon, &counted(9000, 2), None), None);
        let later = report.next().unwrap();
        let second = report.poll(later, &counted(9000, 2), None).unwrap();
        assert_eq!(
            second.line,
            "refused before any rule: malformed=8997 too-many-in-flight=2"
        );
        assert!(second.limit_reached);
        let quiet = later + INTERVAL;
        assert_eq!(report.poll(quiet, &counted(9000, 2), None), None);
        assert_eq!(report.next(), None);
    }
}
