//! Bounds of the data path.

use std::time::Duration;

use crate::observe::ObservationLimits;

/// Bounds of the data path.
#[derive(Clone, Debug)]
pub struct DataPathLimits {
    /// Of the endpoint.
    pub coap: coap::Limits,
    /// Of observations.
    pub observation: ObservationLimits,
    /// For what runs when it is told to stop.
    pub drain: Duration,
}

impl Default for DataPathLimits {
    fn default() -> Self {
        Self {
            coap: coap::Limits::default(),
            observation: ObservationLimits::default(),
            // One exchange's deadline, and a device's acknowledgement.
            drain: Duration::from_secs(12),
        }
    }
}
