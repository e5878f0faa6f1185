//! Checks of a world: how each exchange ended, and the state that is left.

use std::time::Duration;

use super::adversary::{NOBODY, NOBODYS};
use super::device::End;
use super::tally::Tally;
use super::world::{DEVICES, ERRANDS, World};

/// RFC 7252 §4.8.2, with its default parameters.
const EXCHANGE_LIFETIME: Duration = Duration::from_secs(247);

impl World {
    pub(super) fn report(&mut self) {
        for index in 0..usize::from(DEVICES) {
            let Some((errand, end)) = self.devices[index].poll_end(self.server.now) else {
                continue;
            };
            self.trace(|| format!("device {index}: {end:?} {errand:?}"));
            let times = self.processed.get(&errand.number).copied().unwrap_or(0);
            assert!(
                end != End::Completed || times > 0,
                "{errand:?} got its response, but was not processed"
            );
            let block = errand.settings.block_size.bytes();
            let completed = u64::from(end == End::Completed);
            self.tally.uploads += completed * u64::from(errand.request_length > block);
            self.tally.downloads += completed * u64::from(errand.response_length > block);
            *match end {
                End::Completed => &mut self.tally.completed,
                End::GivenUp => &mut self.tally.given_up,
                End::NoResponse => &mut self.tally.no_response,
                End::NonWithoutResponse => &mut self.tally.non_without_response,
                End::Dropped => &mut self.tally.dropped,
            } += 1;
        }
    }

    /// No state, but observations, outlives the last datagram or message of the room by more than EXCHANGE_LIFETIME
    /// (RFC 7252 §4.8.2).
    pub(super) fn check_lifetime(&self) {
        let silent = self.server.now - self.last_cause;
        let endpoint = &self.server.endpoint;
        let left = endpoint.state_left() - endpoint.observations();
        assert!(
            left == 0 || silent < EXCHANGE_LIFETIME,
            "{left} entries are left {silent:?} after the last cause"
        );
    }

    pub(super) fn check(&mut self) {
        let counters = self.server.endpoint.counters();
        self.trace(|| format!("{counters:?}"));
        let Tally {
            completed,
            given_up,
            no_response,
            non_without_response,
            dropped,
            ..
        } = self.tally;
        let ended = completed + given_up + no_response + non_without_response + dropped;
        assert_eq!(
            ended,
            u64::from(ERRANDS) * u64::from(DEVICES),
            "every exchange came to an end"
        );
        assert!(
            self.network.loss > 0 || ended == completed,
            "nothing was lost: {:?}",
            self.tally
        );
        // A replayed block may have no body any more: its device gave up when the network lost it.
        let is_peaceful = self.adversary.is_none();
        assert!(
            !is_peaceful || counters.incomplete == 0 || counters.bodies_dropped > 0,
            "4.08 only where a body was idle for too long"
        );
        for (number, times) in &self.processed {
            let errand = &self.errands[number];
            assert!(
                *times == 1 || errand.is_safe(),
                "processed {times} times: {errand:?}"
            );
        }
        assert_eq!(
            counters.retained_responses_evicted, 0,
            "every response was kept for its duplicates as long as it must"
        );
        assert!(
            !is_peaceful || (counters.proofs_blocked, counters.observations_refused) == (0, 0),
            "no honest message is a guess, and there is room for every observer"
        );
        for nobody in NOBODY..NOBODY + NOBODYS {
            let is_proven = self.server.endpoint.is_proven(self.server.now, &nobody);
            assert!(!(self.validates && is_proven), "nobody is at {nobody}");
        }
        assert_eq!(self.server.endpoint.state_left(), 0);
        self.tally.piggybacked = counters.piggybacked;
        self.tally.separate = counters.separate;
        self.tally.separate_given_up = counters.given_up;
        self.tally.duplicates = counters.duplicates;
        self.tally.renewed = self.room.renewed;
        self.tally.observations_given_up = self.room.given_up;
        self.tally.withheld = counters.retransmissions_withheld;
        self.tally.released = counters.deferred_released;
        self.tally.challenged = counters.challenges;
        self.tally.blocked = counters.proofs_blocked;
    }
}
