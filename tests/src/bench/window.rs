//! One measurement: load for a while, and its effect on clients and server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Failure;
use super::load::{Load, Until};
use super::plan::Plan;
use super::process::Server;
use comatrix_tests::tally::Tally;

/// The outcome for one group of clients in one measurement.
#[derive(Debug, Clone)]
pub struct Window {
    /// Right responses per second.
    pub rate: f64,
    /// Median and 99th percentile of the latency.
    pub p50: Duration,
    /// 99 of 100 responses came sooner.
    pub p99: Duration,
    /// The server's CPU time per right response of all groups.
    pub cpu: Duration,
    /// Requests that a client had to repeat.
    pub retransmissions: u64,
    /// Datagrams that belong to no request.
    pub strays: u64,
    /// Wrong or missing responses.
    pub errors: BTreeMap<String, u64>,
}

/// Measures the load on a server, after a warm-up that counts for nothing but its errors: one window per group.
///
/// # Errors
/// The server is gone.
pub fn measure(load: &mut Load, server: &Server, plan: &Plan) -> Result<Vec<Window>, Failure> {
    let (warm_up, _) = load.run(Until::Elapsed(plan.warm_up))?;
    let before = server.cpu_time()?;
    let (tallies, elapsed) = load.run(Until::Elapsed(plan.window))?;
    let cpu = server.cpu_time()? - before;
    // Requests under way end before the next measurement begins.
    let (remainder, _) = load.run(Until::Quiet)?;
    let responses: usize = tallies.iter().map(|tally| tally.latencies.len()).sum();
    let cpu_per_response = cpu.checked_div(responses as u32).unwrap_or_default();
    Ok(tallies
        .iter()
        .enumerate()
        .map(|(group, tally)| Window {
            rate: tally.latencies.len() as f64 / elapsed.as_secs_f64(),
            p50: tally.latency(0.50),
            p99: tally.latency(0.99),
            cpu: cpu_per_response,
            ..faults(&[&warm_up[group], tally, &remainder[group]])
        })
        .collect())
}

/// The errors of several runs, as a window without figures.
fn faults(tallies: &[&Tally]) -> Window {
    let mut window = Window {
        rate: 0.0,
        p50: Duration::ZERO,
        p99: Duration::ZERO,
        cpu: Duration::ZERO,
        retransmissions: tallies.iter().map(|tally| tally.retransmissions).sum(),
        strays: tallies.iter().map(|tally| tally.strays).sum(),
        errors: BTreeMap::new(),
    };
    for (error, count) in tallies.iter().flat_map(|tally| &tally.errors) {
        *window.errors.entry(error.clone()).or_default() += count;
    }
    window
}
