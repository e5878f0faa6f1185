//! CPU time per `/send` of a gateway that has little to do, beside that at full load: few requests at a time share no
//! system call and no wake-up, but a gateway that sleeps and wakes without need would cost more than that.

use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, micros};
use super::send::{ACCESS_TOKEN, ROOM};

/// The time of an ordinary homeserver for a message.
const DELAY: Duration = Duration::from_millis(35);
/// 200 devices, each every half second: 400 requests per second.
const DEVICES: usize = 200;
const PERIOD: Duration = Duration::from_millis(500);
/// Devices that send as soon as they have a response: more than the gateway can serve.
const AT_FULL_LOAD: usize = 1000;

/// CPU time per request at 400 per second and at full load, which take turns.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let homeserver = Server::start_self(&["--stub-homeserver", &DELAY.as_millis().to_string()])?;
    let origin = format!("http://{}", homeserver.address);
    let gateway = gateway.start(&origin)?;
    let request = Request::send(&origin, ROOM, ACCESS_TOKEN);
    let (mut quiet, mut full, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rate, mut switches) = (Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        let at_rest = cost(plan, &gateway, DEVICES, &request, Some(PERIOD))?;
        let busy = cost(plan, &gateway, AT_FULL_LOAD, &request, None)?;
        quiet.push(micros(at_rest.cpu));
        full.push(micros(busy.cpu));
        ratios.push(at_rest.cpu.as_secs_f64() / busy.cpu.as_secs_f64());
        switches.push(at_rest.switches);
        rate.push(busy.rate);
    }
    let pairs = ratios.len();
    let (full, rate) = (median(full), median(rate));
    Ok(vec![Row {
        name: "`/send`, 35 ms homeserver, 400/s (a quiet gateway): CPU per request".to_owned(),
        figure: median(quiet),
        unit: "µs",
        baseline: Some(("at full load", full)),
        ratio: Some(median(ratios)),
        target: Target::RatioAtMost(1.3),
        runs: pairs,
        notes: format!(
            "{:.1} times per request a thread waits; full load is {rate:.0}/s",
            median(switches)
        ),
    }])
}

/// What requests cost the gateway.
struct Cost {
    cpu: Duration,
    /// Voluntary context switches of all threads.
    switches: f64,
    /// Responses per second.
    rate: f64,
}

fn cost(
    plan: &Plan,
    gateway: &Server,
    devices: usize,
    request: &Request,
    period: Option<Duration>,
) -> Result<Cost, Failure> {
    let mut load = Load::new(gateway.address)?;
    let spread = period.unwrap_or(DELAY);
    load.add(devices, std::slice::from_ref(request), period, spread)?;
    load.run(Until::Elapsed(plan.warm_up.max(PERIOD)))?;
    let (before, switches) = (gateway.run_time()?, gateway.waits()?);
    let (tallies, elapsed) = load.run(Until::Elapsed(plan.window))?;
    let cpu = gateway.run_time()? - before;
    let switches = gateway.waits()? - switches;
    load.run(Until::Quiet)?;
    let responses: usize = tallies.iter().map(|tally| tally.latencies.len()).sum();
    Ok(Cost {
        cpu: cpu.checked_div(responses as u32).unwrap_or_default(),
        switches: switches as f64 / responses as f64,
        rate: responses as f64 / elapsed.as_secs_f64(),
    })
}
