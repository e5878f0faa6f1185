//! What has happened in worlds.

use std::ops::AddAssign;

/// Counts, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub messages: u64,
    pub repetitions: u64,
    pub queued: u64,
    pub sent_at_once: u64,
    pub refused: u64,
    pub lost_responses: u64,
    pub failed: u64,
    pub dropped: u64,
    pub revived: u64,
    pub statuses: u64,
    pub cuts: u64,
    pub kills: u64,
    pub opens_cut: u64,
    pub searches: u64,
    pub found: u64,
    pub repeated_transactions: u64,
    pub attempts: u64,
    pub disk_errors: u64,
    pub full: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (sum, one) in self.parts().into_iter().zip(other.clone().parts()) {
            sum.1.add_assign(*one.1);
        }
    }
}

impl Tally {
    /// Each count and its name.
    pub fn parts(&mut self) -> [(&'static str, &mut u64); 19] {
        [
            ("messages", &mut self.messages),
            ("repetitions", &mut self.repetitions),
            ("queued", &mut self.queued),
            ("sent at once", &mut self.sent_at_once),
            ("refused", &mut self.refused),
            ("responses lost", &mut self.lost_responses),
            ("failed", &mut self.failed),
            ("dropped", &mut self.dropped),
            ("revived", &mut self.revived),
            ("statuses", &mut self.statuses),
            ("power cuts", &mut self.cuts),
            ("processes killed", &mut self.kills),
            ("power cuts while the file opened", &mut self.opens_cut),
            ("searches", &mut self.searches),
            ("messages found by a search", &mut self.found),
            (
                "repetitions that the homeserver recognised",
                &mut self.repeated_transactions,
            ),
            ("attempts", &mut self.attempts),
            ("writes that the disk refused", &mut self.disk_errors),
            ("messages refused for their bound", &mut self.full),
        ]
    }
}
