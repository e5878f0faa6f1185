//! The parts of the gateway that the status page shows.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::forms::Forms;
use crate::devices::Devices;
use crate::outbox::Deliveries;
use crate::request::SnapshotCell;
use crate::rule_manager::{Events, RuleStatusCell};
use crate::telemetry::recent_warnings::RecentWarnings;
use crate::telemetry::recorder::Recorder;
use homeserver::Probes;

/// The sources of the status page.
pub struct Admin {
    /// Address at which devices reach the gateway.
    pub address: SocketAddr,
    /// When the gateway started.
    pub started: Instant,
    /// Counts of requests, and the last of them.
    pub recorder: Rc<Recorder>,
    /// The configuration in use: rules and homeservers.
    pub snapshots: Arc<SnapshotCell>,
    /// The status of each rule.
    pub rule_status: Arc<RuleStatusCell>,
    /// The queue of the rule manager, for an operator's commands.
    pub events: Events,
    /// Messages that wait; none if the gateway keeps no messages.
    pub deliveries: Option<Deliveries>,
    /// Devices that are enrolled; none without a store.
    pub devices: Option<Devices>,
    /// The last warnings and errors of the log.
    pub recent_warnings: RecentWarnings,
    /// The forms of the page that can still be sent.
    pub forms: Forms,
}

impl Admin {
    /// The configured homeservers.
    pub(super) fn probes(&self) -> Probes {
        self.snapshots.load().upstreams.probes()
    }
}
