//! What happened in the worlds, as numbers: whether they were worth it.

use std::ops::AddAssign;

/// What happened in one world or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) answered: u64,
    pub(super) given_up: u64,
    pub(super) no_response: u64,
    pub(super) unanswered_non: u64,
    pub(super) dropped: u64,
    pub(super) uploads: u64,
    pub(super) downloads: u64,
    pub(super) piggybacked: u64,
    pub(super) separate: u64,
    pub(super) separate_given_up: u64,
    pub(super) duplicates: u64,
    pub(super) notified: u64,
    pub(super) renewed: u64,
    pub(super) observations_given_up: u64,
    pub(super) withheld: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.given_up += other.given_up;
        self.no_response += other.no_response;
        self.unanswered_non += other.unanswered_non;
        self.dropped += other.dropped;
        self.uploads += other.uploads;
        self.downloads += other.downloads;
        self.piggybacked += other.piggybacked;
        self.separate += other.separate;
        self.separate_given_up += other.separate_given_up;
        self.duplicates += other.duplicates;
        self.notified += other.notified;
        self.renewed += other.renewed;
        self.observations_given_up += other.observations_given_up;
        self.withheld += other.withheld;
    }
}
