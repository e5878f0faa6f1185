//! The events in the worlds, as numbers: whether they were worth it.

use std::ops::AddAssign;

/// The events in one world or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) completed: u64,
    pub(super) given_up: u64,
    pub(super) no_response: u64,
    pub(super) non_without_response: u64,
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
    pub(super) forged: u64,
    pub(super) released: u64,
    pub(super) challenged: u64,
    pub(super) blocked: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.completed += other.completed;
        self.given_up += other.given_up;
        self.no_response += other.no_response;
        self.non_without_response += other.non_without_response;
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
        self.forged += other.forged;
        self.released += other.released;
        self.challenged += other.challenged;
        self.blocked += other.blocked;
    }
}
