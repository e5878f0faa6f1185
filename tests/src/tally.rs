//! The outcomes at the clients: latencies of right responses, and everything else by kind.

use std::collections::BTreeMap;
use std::time::Duration;

/// Kinds of errors that are counted apart; more would be a list nobody reads.
const ERROR_KINDS: usize = 8;

/// The outcomes of the requests of one group of clients.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Nanoseconds from request to right response, one entry per request with one.
    pub latencies: Vec<u64>,
    /// Requests sent again after 2 to 3 s without an acknowledgement.
    pub retransmissions: u64,
    /// Datagrams that belong to no request.
    pub strays: u64,
    /// Wrong or missing responses, by their kind.
    pub errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts the end of one exchange.
    pub fn count(&mut self, outcome: Result<(), String>, latency: Duration) {
        match outcome {
            Ok(()) => self.latencies.push(latency.as_nanos() as u64),
            Err(error) if self.errors.len() < ERROR_KINDS || self.errors.contains_key(&error) => {
                *self.errors.entry(error).or_default() += 1;
            }
            Err(_) => *self.errors.entry("others".to_owned()).or_default() += 1,
        }
    }

    /// Requests with a wrong response or none.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The latency below which this share (0 to 1) of the requests stayed; zero if none had a response.
    pub fn latency(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = (sorted.len() as f64 * share).ceil() as usize;
        Duration::from_nanos(
            sorted
                .get(at.saturating_sub(1).min(last))
                .copied()
                .unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_percentile_of_a_hundred_is_the_99th() {
        let mut tally = Tally::default();
        for latency in (1..=100).rev() {
            tally.count(Ok(()), Duration::from_nanos(latency));
        }
        assert_eq!(tally.latency(0.99), Duration::from_nanos(99));
        assert_eq!(tally.latency(0.50), Duration::from_nanos(50));
        assert_eq!(Tally::default().latency(0.99), Duration::ZERO);
    }

    #[test]
    fn every_error_is_counted_and_the_kinds_are_bounded() {
        let mut tally = Tally::default();
        for error in 0..100 {
            tally.count(Err(error.to_string()), Duration::ZERO);
        }
        assert_eq!(tally.failed(), 100);
        assert_eq!(tally.errors.len(), ERROR_KINDS + 1);
    }
}
