//! Devices with keys and certificates: what DTLS and OSCORE cost beside plain CoAP.

mod bytes;
mod certificates;
mod memory;
mod send;
pub mod stage;

use super::super::Failure;
use super::super::plan::Plan;
use super::super::process::Gateway;
use super::super::report::Row;

/// All rows of devices with keys.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let mut rows = send::measure(plan, gateway)?;
    rows.extend(memory::measure(plan, gateway)?);
    rows.extend(certificates::measure(plan, gateway)?);
    rows.extend(bytes::measure(gateway)?);
    Ok(rows)
}
