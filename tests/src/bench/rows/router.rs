//! The gateway for routers: its use of a small machine's resources. The other rows measure another binary.

use std::fs;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use comatrix_tests::places;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, millis};
use super::send::{ACCESS_TOKEN, ROOM};
use comatrix_tests::tally::Tally;

const DEVICES: usize = 1000;
/// Requests of each device: one every ten seconds, for as long as their responses are kept for duplicates (247 s,
/// RFC 7252 §4.8.2).
const REQUESTS: u64 = 25;
/// That in a tenth of the time.
const PERIOD: Duration = Duration::from_secs(1);
/// Time in which a gateway that has just started may still free memory.
const SETTLE: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Size, start, memory, idle CPU time, addresses and threads. No row where there is no such binary.
pub fn measure(plan: &Plan, _gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let Some(binary) = binary() else {
        eprintln!(
            "no gateway for routers: run `cargo xtask dist`, or name its binary in COMATRIX_ROUTER"
        );
        return Ok(Vec::new());
    };
    let bytes = fs::metadata(&binary)?.len() as f64;
    let gateway = Gateway::at(binary)?;
    let homeserver = Server::start_self(&["--stub-homeserver", "0"])?;
    let origin = format!("http://{}", homeserver.address);
    let ready = (0..plan.starts)
        .map(|_| Ok(millis(gateway.start(&origin)?.ready_after)))
        .collect::<Result<Vec<f64>, Failure>>()?;

    let server = gateway.start(&origin)?;
    std::thread::sleep(SETTLE);
    let idle = server.memory("VmRSS")? as f64;
    let before = server.run_time()?;
    std::thread::sleep(plan.idle);
    let idle_cpu = server.run_time()?.saturating_sub(before).as_secs_f64();
    let (active, responses, errors) = load(&server, &origin, Some(PERIOD))?;
    let threads = server.threads()? as f64;
    let addresses = server.memory("VmSize")? as f64;
    let (fast, more, more_errors) = load(&server, &origin, None)?;
    let cores = available_parallelism().map_or(1, |cores| cores.get());

    let row = |name: &str, figure: f64, unit, most: f64, notes: String| Row {
        name: format!("router build, {name}"),
        figure,
        unit,
        baseline: None,
        ratio: None,
        target: Target::AtMost(most),
        runs: 1,
        notes,
    };
    let worst = ready.iter().copied().fold(f64::NAN, f64::max);
    let after = format!(
        "a request per second of each, {responses} responses, {errors} errors; then {more} without a pause, \
         {more_errors} errors: {:.1} MB",
        fast / 1e6
    );
    Ok(vec![
        row("binary", bytes / 1e6, "MB", 7.0, String::new()),
        Row {
            runs: ready.len(),
            ..row(
                "ready after start",
                median(ready.iter().copied()),
                "ms",
                50.0,
                format!("worst {worst:.0} ms"),
            )
        },
        row("memory, idle", idle / 1e6, "MB", 7.5, String::new()),
        row(
            "CPU time of an idle day",
            idle_cpu * DAY.as_secs_f64() / plan.idle.as_secs_f64(),
            "s",
            10.0,
            format!("{:.3} ms in {} s", idle_cpu * 1e3, plan.idle.as_secs()),
        ),
        row(
            &format!("memory with {DEVICES} devices active"),
            active / 1e6,
            "MB",
            20.0,
            after,
        ),
        row(
            "virtual memory",
            addresses / 1e6,
            "MB",
            256.0,
            "under that load".to_owned(),
        ),
        row(
            "threads",
            threads,
            "",
            (cores + 3) as f64,
            format!("under that load; {cores} cores"),
        ),
    ])
}

/// Resident bytes after half `/time`, half `/send` to an instant homeserver; the number of responses, and of failures.
fn load(
    server: &Server,
    origin: &str,
    period: Option<Duration>,
) -> Result<(f64, usize, u64), Failure> {
    let mut load = Load::new(server.address)?;
    let requests = [Request::time(), Request::send(origin, ROOM, ACCESS_TOKEN)];
    load.add(DEVICES, &requests, period, PERIOD)?;
    let (tallies, _) = load.run(Until::Ended(DEVICES as u64 * REQUESTS))?;
    let resident = server.memory("VmRSS")? as f64;
    load.run(Until::Quiet)?;
    let responses = tallies.iter().map(|tally| tally.latencies.len()).sum();
    let errors = tallies.iter().map(Tally::failed).sum();
    Ok((resident, responses, errors))
}

/// The binary that `COMATRIX_ROUTER` names, else the one that `cargo xtask dist` has built for this machine.
fn binary() -> Option<PathBuf> {
    let built = || {
        let name = format!(
            "comatrix-gateway-{}-{}-unknown-linux-musl",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH
        );
        places::workspace().join("target/dist").join(name)
    };
    let binary = std::env::var_os("COMATRIX_ROUTER").map_or_else(built, PathBuf::from);
    binary.is_file().then_some(binary)
}
