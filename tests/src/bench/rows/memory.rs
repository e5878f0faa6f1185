//! Memory of a fresh gateway, and of one that has served many devices for a while.

use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Figures2021, Row, Target};
use super::send::{ACCESS_TOKEN, ROOM};
use comatrix_tests::tally::Tally;

const DEVICES: usize = 256;

/// Time in which a gateway that has just started may still free memory.
const SETTLE: Duration = Duration::from_secs(1);

/// Resident bytes when idle and after the soak: half `/time`, half `/send` to an instant homeserver.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let homeserver = Server::start_self(&["--stub-homeserver", "0"])?;
    let origin = format!("http://{}", homeserver.address);
    // Once before: a start that had to compile holds the compiler's memory.
    drop(gateway.start(&origin)?);
    let gateway = gateway.start(&origin)?;
    std::thread::sleep(SETTLE);
    let idle = gateway.memory("VmRSS")? as f64;

    let mut load = Load::new(gateway.address)?;
    let requests = [Request::time(), Request::send(&origin, ROOM, ACCESS_TOKEN)];
    load.add(DEVICES, &requests, None, Duration::ZERO)?;
    let (tallies, elapsed) = load.run(Until::Ended(plan.soak_requests))?;
    load.run(Until::Quiet)?;
    let loaded = gateway.memory("VmRSS")? as f64;
    let peak = gateway.memory("VmHWM")? as f64;

    let responses: usize = tallies.iter().map(|tally| tally.latencies.len()).sum();
    let errors: u64 = tallies.iter().map(Tally::failed).sum();
    let retransmissions: u64 = tallies.iter().map(|tally| tally.retransmissions).sum();
    let row = |name: String, bytes: f64, baseline: f64, bound: f64, notes: String| Row {
        name,
        figure: bytes / 1e6,
        unit: "MB",
        baseline: Some(("2021", baseline / 1e6)),
        ratio: Some(bytes / baseline),
        target: Target::AtMost(bound),
        runs: 1,
        notes,
    };
    let after = format!(
        "{responses} responses in {:.0} s, {retransmissions} retransmissions, {errors} errors; at most {:.1} MB",
        elapsed.as_secs_f64(),
        peak / 1e6
    );
    Ok(vec![
        row(
            "memory, idle".to_owned(),
            idle,
            Figures2021::IDLE_MEMORY,
            20.0,
            String::new(),
        ),
        row(
            format!(
                "memory after {} requests of {DEVICES} devices",
                plan.soak_requests
            ),
            loaded,
            Figures2021::LOADED_MEMORY,
            40.0,
            after,
        ),
    ])
}
