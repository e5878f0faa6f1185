//! The measurements, one file per group of rows.

pub mod call;
pub mod flood;
pub mod hostile;
pub mod languages;
pub mod low_bandwidth;
pub mod memory;
pub mod mounted;
pub mod observations;
pub mod outbox;
pub mod outbox_drain;
pub mod quiet;
pub mod router;
pub mod secured;
pub mod send;
pub mod slow_homeserver;
pub mod start;
pub mod swap;
pub mod synapse;
pub mod time;

use super::Failure;
use super::plan::Plan;
use super::process::Gateway;
use super::report::Row;

/// Measures one group of rows.
pub type Measure = fn(&Plan, &Gateway) -> Result<Vec<Row>, Failure>;

/// Every group: the name that filters match, and how it is measured.
pub const GROUPS: &[(&str, Measure)] = &[
    ("/time", time::measure),
    (
        "/send to a slow homeserver (slow)",
        slow_homeserver::measure,
    ),
    ("/send to an instant homeserver (instant)", send::measure),
    ("/send to Synapse", synapse::measure),
    ("/send to a quiet gateway (quiet)", quiet::measure),
    ("component and native call (call)", call::measure),
    ("ready after start (start)", start::measure),
    ("memory", memory::measure),
    ("router build", router::measure),
    ("flood", flood::measure),
    ("observations", observations::measure),
    ("messages that wait (outbox)", outbox::measure),
    (
        "messages that have waited (outbox drain)",
        outbox_drain::measure,
    ),
    ("rules mounted", mounted::measure),
    ("rules swapped under load (swap)", swap::measure),
    ("Rust and JavaScript (languages)", languages::measure),
    ("hostile rules", hostile::measure),
    ("devices with keys (secured)", secured::measure),
    ("low-bandwidth Matrix (bandwidth)", low_bandwidth::measure),
];
