//! What requests are answered with: rules, homeservers, and what the operator has set.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::Notify;

use super::{LocalNames, admission};
use crate::limits::DataPathLimits;
use contract::Match;
use homeserver::Upstreams;
use runtime::{MountTable, Revision};

/// All that can change while the gateway runs. A service itself never changes: another one takes its place, whole. An exchange
/// takes it once and keeps it to its end.
#[derive(Clone)]
pub struct Snapshot {
    /// The rules that translate.
    pub rules: Arc<MountTable>,
    /// Where their calls may go. Another configuration has others, so they tell one configuration from the next.
    pub upstreams: Arc<Upstreams>,
    /// First path segments of resources that are switched off.
    pub disabled: Arc<[String]>,
    /// The gateway's names, beside its addresses, in a Proxy-Uri.
    pub local_names: Arc<LocalNames>,
    /// For all steps of an exchange, queue and name resolution included. A device that waits longer has given up.
    pub deadline: Duration,
    /// Of the loop that serves.
    pub limits: DataPathLimits,
}

impl Snapshot {
    /// One without rules, with nothing switched off and default bounds.
    #[must_use]
    pub fn new(upstreams: Upstreams, deadline: Duration) -> Self {
        Self {
            rules: Arc::default(),
            upstreams: Arc::new(upstreams),
            disabled: Arc::default(),
            local_names: Arc::default(),
            deadline,
            limits: DataPathLimits::default(),
        }
    }

    /// The rule and link that a path and method mean.
    pub(crate) fn find(&self, path: &[&str], method: u8) -> Option<(Arc<Revision>, Match)> {
        let found = admission::lookup(path, method, &self.rules, &self.disabled).ok()?;
        Some((found.0.clone(), found.1))
    }

    /// Whether both are of one configuration; their rules may be others.
    pub(crate) fn is_configured_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.upstreams, &other.upstreams)
    }
}

/// The service of now: one pointer.
pub struct SnapshotCell {
    now: ArcSwap<Snapshot>,
    changed: Notify,
}

impl SnapshotCell {
    /// Begins with this one.
    #[must_use]
    pub fn new(service: Snapshot) -> Arc<Self> {
        Arc::new(Self {
            now: ArcSwap::from_pointee(service),
            changed: Notify::new(),
        })
    }

    /// What serves at this moment. An exchange takes it once.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.now.load()
    }

    /// Lets another one serve from now on, which differs from the one of now as `change` says. That may be called more than
    /// once, where somebody else changes it at the same moment.
    pub fn update(&self, change: impl Fn(&mut Snapshot)) {
        self.now.rcu(|now| {
            let mut next = Snapshot::clone(now);
            change(&mut next);
            next
        });
        self.changed.notify_one();
    }

    /// Done after a change that nobody has waited for yet. One waits at a time: the loop that serves.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}
