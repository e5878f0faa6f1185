//! Low-bandwidth Matrix by the rule `msc3079`: its cost beside the default rule, and the bytes of a device's day beside
//! those of HTTP.

mod component;
mod idle;
mod send;
mod stage;
mod steps;

use super::super::Failure;
use super::super::plan::Plan;
use super::super::process::Gateway;
use super::super::report::Row;

/// All rows.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let mut rows = vec![component::measure()];
    rows.extend(send::measure(plan, gateway)?);
    rows.extend(steps::measure(gateway)?);
    rows.extend(idle::measure(gateway)?);
    Ok(rows)
}
