//! One measurement: load for a while, and what it did to clients and server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Failure;
use super::load::{Load, Until};
use super::plan::Plan;
use super::process::Server;
use super::tally::Tally;

/// What one group of clients saw in one measurement.
#[derive(Debug, Clone)]
pub struct Window {
    /// Right answers per second.
    pub rate: f64,
    /// Median and 99th percentile of the latency.
    pub p50: Duration,
    /// 99 of 100 answers came sooner.
    pub p99: Duration,
    /// The server's CPU time per right answer of all groups.
    pub cpu: Duration,
    /// Requests that a client had to repeat.
    pub retransmissions: u64,
    /// Datagrams that answered nothing.
    pub strays: u64,
    /// Wrong or missing answers.
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
    // What is under way ends before the next measurement begins.
    let (remainder, _) = load.run(Until::Quiet)?;
    let answered: usize = tallies.iter().map(|tally| tally.latencies.len()).sum();
    let cpu_per_answer = cpu.checked_div(answered as u32).unwrap_or_default();
    Ok(tallies
        .iter()
        .enumerate()
        .map(|(group, tally)| Window {
            rate: tally.latencies.len() as f64 / elapsed.as_secs_f64(),
            p50: tally.latency(0.50),
            p99: tally.latency(0.99),
            cpu: cpu_per_answer,
            ..faults(&[&warm_up[group], tally, &remainder[group]])
        })
        .collect())
}

/// What went wrong over several runs, as a window without figures.
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
