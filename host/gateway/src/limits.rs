//! Limits of the data path that the operator sets.

use std::time::Duration;

/// Limits of the data path.
#[derive(Clone, Debug)]
pub struct DataPathLimits {
    /// Limits of the CoAP endpoint.
    pub coap: coap::Limits,
    /// Limits of observations.
    pub observation: ObservationLimits,
    /// Time for exchanges in flight when the gateway stops.
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

/// Limits of observations.
#[derive(Clone, Copy, Debug)]
pub struct ObservationLimits {
    /// Concurrent long polls of homeservers, one per account; each holds a connection. Response when exceeded: the
    /// resource's representation without Observe.
    pub polls: usize,
    /// After this time without a notification, the gateway sends the last one again, confirmable: so it learns whether
    /// the device is still there, and the device learns that the gateway is. It is also how long a device may get
    /// nothing after a power cut of the gateway. At most 24 h (RFC 7641 §4.5).
    pub refresh: Duration,
    /// Bytes of the names, paths and tokens of all observations: 10,000 have 800 bytes each, twice what they need. A
    /// host has an eighth of them. Response when exceeded: the resource's representation without Observe.
    pub bytes: usize,
}

impl Default for ObservationLimits {
    fn default() -> Self {
        Self {
            polls: 256,
            refresh: Duration::from_secs(3600),
            bytes: 8 << 20,
        }
    }
}
