//! What is known of each rule, for whoever asks while the manager is busy: compiling takes seconds on a small router.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;

use super::protocol::RuleStatus;
use runtime::{Revision, RuleAccounting};

/// What the manager has posted last, of all rules.
#[derive(Default)]
pub struct RuleStatusCell(ArcSwap<Vec<PublishedRule>>);

/// One rule, as it was when the manager was last done with something. What changes by itself is looked up when it is wanted.
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
}

/// How often another revision came to serve, or should have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes {
    /// One that was activated.
    pub(super) replaced: u64,
    /// One that could not be.
    pub(super) refused: u64,
    /// The one before it came back.
    pub(super) rolled_back: u64,
}

impl RuleStatusCell {
    pub(super) fn publish(&self, rules: Vec<PublishedRule>) {
        self.0.store(Arc::new(rules));
    }

    /// All rules at this moment.
    #[must_use]
    pub fn now(&self) -> Vec<RuleStatus> {
        self.0.load().iter().map(PublishedRule::status).collect()
    }
}

impl PublishedRule {
    /// What `rules list` and the status page show of it.
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
