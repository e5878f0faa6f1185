//! The status of each rule, readable while the manager is busy: compiling takes seconds on a small router.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;

use super::protocol::RuleStatus;
use runtime::{Revision, RuleAccounting};

/// The status of all rules that the manager published last.
#[derive(Default)]
pub struct RuleStatusCell(ArcSwap<Vec<PublishedRule>>);

/// One rule after the last event of the manager. Counts that change without an event are read on demand.
pub(super) struct PublishedRule {
    pub(super) name: String,
    pub(super) mount: String,
    pub(super) state: Arc<RuleAccounting>,
    pub(super) current: Option<Serves>,
    pub(super) previous: Option<String>,
    pub(super) failure: Option<String>,
    pub(super) changes: Changes,
}

/// The revision that serves.
pub(super) struct Serves {
    pub(super) revision: Arc<Revision>,
    pub(super) source: String,
    pub(super) signer: Option<String>,
    pub(super) since: Instant,
    pub(super) kept: bool,
}

/// Numbers of changes of the serving revision.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes {
    /// Activated revisions.
    pub(super) replaced: u64,
    /// Revisions that could not be activated.
    pub(super) refused: u64,
    /// Rollbacks.
    pub(super) rolled_back: u64,
}

impl RuleStatusCell {
    pub(super) fn publish(&self, rules: Vec<PublishedRule>) {
        self.0.store(Arc::new(rules));
    }

    /// The status of all rules now.
    #[must_use]
    pub fn now(&self) -> Vec<RuleStatus> {
        self.0.load().iter().map(PublishedRule::status).collect()
    }
}

impl PublishedRule {
    /// The status in `rules list` and on the status page.
    pub(super) fn status(&self) -> RuleStatus {
        let current = self.current.as_ref();
        let budget = &self.state.budget;
        RuleStatus {
            name: self.name.clone(),
            mount: self.mount.clone(),
            revision: current.map(|current| format!("{:#}", current.revision.digest())),
            number: current.map_or(0, |current| current.revision.number()),
            source: current.map_or_else(String::new, |current| current.source.clone()),
            signer: current.and_then(|current| current.signer.clone()),
            age_seconds: current.map_or(0, |current| current.since.elapsed().as_secs()),
            calls: current.map_or(0, |current| current.revision.calls()),
            traps: self.state.traps(),
            in_flight: budget.in_flight(),
            kept: current.is_some_and(|current| current.kept),
            previous: self.previous.clone(),
            paused_seconds: self
                .state
                .paused(Instant::now())
                .map(|left| left.as_secs() + 1),
            limits_hit: budget
                .hits()
                .into_iter()
                .map(|(limit, count)| (limit.name().to_owned(), count))
                .collect(),
            replaced: self.changes.replaced,
            refused: self.changes.refused,
            rolled_back: self.changes.rolled_back,
            failure: self.failure.clone(),
        }
    }
}
