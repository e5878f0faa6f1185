//! The current rules, homeservers and settings, as one value that an exchange keeps to its end.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::Notify;

use super::device_rights::DeviceRights;
use super::local_authority::LocalNames;
use super::routing;
use crate::coaps_certificates::CoapsCertificates;
use crate::limits::DataPathLimits;
use crate::outbox::OutboxSettings;
use contract::Match;
use homeserver::Upstreams;
use runtime::{MountTable, Revision};

/// Everything that can change while the gateway runs. A snapshot itself never changes: the next one replaces it as a
/// whole. An exchange takes the current one at its start and keeps it to its end.
#[derive(Clone)]
pub struct Snapshot {
    /// The rules and their mounts.
    pub rules: Arc<MountTable>,
    /// The homeservers. Each configuration has an object of its own, so it also identifies the configuration.
    pub upstreams: Arc<Upstreams>,
    /// First path segments of the resources that are switched off.
    pub disabled: Arc<[String]>,
    /// The gateway's names in a Proxy-Uri, in addition to its addresses.
    pub local_names: Arc<LocalNames>,
    /// Time for all steps of an exchange, queue and name resolution included: after it, devices have given up.
    pub deadline: Duration,
    /// Limits of the event loop.
    pub limits: DataPathLimits,
    /// What devices may do.
    pub rights: Arc<DeviceRights>,
    /// The certificates of `coaps`; none if devices with certificates are not served.
    pub certificates: Option<Arc<CoapsCertificates>>,
    /// Which messages wait for their homeserver.
    pub outbox: Arc<OutboxSettings>,
}

impl Snapshot {
    /// A snapshot without rules, with all resources switched on and the default limits.
    #[must_use]
    pub fn new(upstreams: Upstreams, deadline: Duration) -> Self {
        Self {
            rules: Arc::default(),
            upstreams: Arc::new(upstreams),
            disabled: Arc::default(),
            local_names: Arc::default(),
            deadline,
            limits: DataPathLimits::default(),
            rights: Arc::default(),
            certificates: None,
            outbox: Arc::default(),
        }
    }

    /// The rule and link of a path and method.
    pub(crate) fn find(&self, path: &[&str], method: u8) -> Option<(Arc<Revision>, Match)> {
        let found = routing::lookup(path, method, &self.rules, &self.disabled).ok()?;
        Some((found.0.clone(), found.1))
    }

    /// Whether both have the same configuration; their rules may differ.
    pub(crate) fn is_configured_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.upstreams, &other.upstreams)
    }
}

/// The current snapshot: one pointer.
pub struct SnapshotCell {
    current: ArcSwap<Snapshot>,
    changed: Notify,
}

impl SnapshotCell {
    /// A cell with this snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwap::from_pointee(snapshot),
            changed: Notify::new(),
        })
    }

    /// The current snapshot. An exchange calls this once.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Replaces the current snapshot by a copy with this change. With concurrent updates, `change` may run more than
    /// once.
    pub fn update(&self, change: impl Fn(&mut Snapshot)) {
        self.current.rcu(|current| {
            let mut next = Snapshot::clone(current);
            change(&mut next);
            next
        });
        self.changed.notify_one();
    }

    /// Completes after an update since the last call. Only one caller, the event loop, may wait at a time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}
