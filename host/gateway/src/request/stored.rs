//! The parts of a gateway that outlive it: messages, devices, and transaction ids.

use super::gateway::Gateway;
use super::recent_file::RecentFile;
use crate::devices::Devices;
use crate::outbox::Deliveries;
use crate::sessions::Sessions;

impl Gateway {
    /// The same, which keeps messages for homeservers that do not respond.
    #[must_use]
    pub fn with_deliveries(mut self, deliveries: Deliveries) -> Self {
        self.deliveries = Some(deliveries);
        self
    }

    /// The same, which serves devices that are enrolled.
    #[must_use]
    pub fn with_devices(mut self, devices: Devices) -> Self {
        self.devices = Some(devices);
        self
    }

    /// The same, which recognises messages of before a restart by this file.
    #[must_use]
    pub fn with_recent(self, file: RecentFile) -> Self {
        self.txn_ids.keep_in(file);
        self
    }

    /// The messages that it keeps; none without a store.
    #[must_use]
    pub fn deliveries(&self) -> Option<&Deliveries> {
        self.deliveries.as_ref()
    }

    /// The logins that it remembers for devices; none without a store.
    #[must_use]
    pub fn sessions(&self) -> Option<&Sessions> {
        self.deliveries.as_ref().map(Deliveries::sessions)
    }

    /// The devices that are enrolled; none without a store.
    #[must_use]
    pub fn devices(&self) -> Option<&Devices> {
        self.devices.as_ref()
    }
}
