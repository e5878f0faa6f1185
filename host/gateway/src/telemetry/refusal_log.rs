//! What the endpoint refused by itself, for the operator: such requests begin no exchange, and so have no line of their
//! own in the log.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use coap::Counters;
use coap::code::Dotted;
use contract::peer::canonical;

/// At most one line in this time: whoever can send datagrams must not be able to fill the log.
const INTERVAL: Duration = Duration::from_secs(60);

/// Remembers what was told.
#[derive(Default)]
pub struct RefusalLog {
    told: Counters,
    /// When the next line may be written.
    next: Option<Instant>,
}

/// What there is to tell.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether a bound was hit: devices are refused that did nothing wrong.
    pub bound_hit: bool,
    /// The line.
    pub line: String,
}

impl RefusalLog {
    /// What happened since the last report, unless that is too recent. `latest` is the last refused request: who sent it,
    /// and the code it was answered with.
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
        let (mut changed, mut bound_hit) = (false, false);
        for (name, is_bound, count, told) in noteworthy(counters, &self.told) {
            if count > told {
                changed = true;
                bound_hit |= is_bound;
                let _ = write!(line, " {name}={}", count - told);
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
        self.told = counters.clone();
        self.next = Some(now + INTERVAL);
        Some(Report { bound_hit, line })
    }

    /// When what could not be told yet may be told; none while it may be told at once.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.next
    }
}

/// Name, whether it is a bound of the gateway's, count now and when last told.
fn noteworthy(now: &Counters, told: &Counters) -> [(&'static str, bool, u64, u64); 15] {
    [
        ("malformed", false, now.malformed, told.malformed),
        ("bad-option", false, now.bad_options, told.bad_options),
        ("blocks-missing", false, now.incomplete, told.incomplete),
        ("too-large", false, now.too_large, told.too_large),
        ("too-many-in-flight", true, now.overloaded, told.overloaded),
        (
            "no-room-for-body",
            true,
            now.bodies_refused,
            told.bodies_refused,
        ),
        (
            "no-message-id",
            true,
            now.message_ids_exhausted,
            told.message_ids_exhausted,
        ),
        (
            "observations-refused",
            true,
            now.observations_refused,
            told.observations_refused,
        ),
        (
            "observations-displaced",
            true,
            now.observations_displaced,
            told.observations_displaced,
        ),
        ("never-acknowledged", false, now.given_up, told.given_up),
        ("above-its-rate", false, now.rate_limited, told.rate_limited),
        (
            "resets-withheld",
            true,
            now.resets_withheld,
            told.resets_withheld,
        ),
        (
            "peers-forgotten",
            true,
            now.peers_forgotten,
            told.peers_forgotten,
        ),
        (
            "retransmissions-withheld",
            false,
            now.retransmissions_withheld,
            told.retransmissions_withheld,
        ),
        (
            "group-answers-dropped",
            true,
            now.multicast_responses_dropped,
            told.multicast_responses_dropped,
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
    fn what_was_refused_is_told_once_and_at_most_once_a_minute() {
        let mut report = RefusalLog::default();
        let start = Instant::now();
        assert_eq!(report.poll(start, &counted(0, 0), None), None);
        let peer = "[::ffff:192.0.2.1]:5683".parse().unwrap();
        let first = report.poll(start, &counted(3, 0), Some((peer, 0x82)));
        let line = "refused before any rule: malformed=3; the last was 4.02 to 192.0.2.1:5683";
        assert_eq!(
            first,
            Some(Report {
                bound_hit: false,
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
        assert!(second.bound_hit);
        let quiet = later + INTERVAL;
        assert_eq!(report.poll(quiet, &counted(9000, 2), None), None);
        assert_eq!(report.next(), None);
    }
}
