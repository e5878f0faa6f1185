//! From the start of the process to the line that says it is ready.

use super::super::Failure;
use super::super::plan::Plan;
use super::super::process::Gateway;
use super::super::report::{Figures2021, Row, Target, median, millis};

/// The first start fills the cache of compiled code; the others find it.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let start =
        || -> Result<f64, Failure> { Ok(millis(gateway.start("http://127.0.0.1:9")?.ready_after)) };
    let first = start()?;
    let warm = (0..plan.starts)
        .map(|_| start())
        .collect::<Result<Vec<_>, _>>()?;
    let ready = median(warm.iter().copied());
    let worst = warm.iter().copied().fold(f64::NAN, f64::max);
    let baseline = millis(Figures2021::READY);
    Ok(vec![Row {
        name: "ready after start, warm cache".to_owned(),
        figure: ready,
        unit: "ms",
        baseline: Some(("2021", baseline)),
        ratio: Some(ready / baseline),
        target: Target::AtMost(100.0),
        runs: warm.len(),
        notes: format!("worst {worst:.0} ms; the first start in this run took {first:.0} ms"),
    }])
}
