//! Messages for a homeserver that is away: how fast the gateway takes them over, and what that costs the disk.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, millis};
use super::send::{ACCESS_TOKEN, ROOM};

/// Devices that send as fast as responses come.
const DEVICES: usize = 64;
/// Messages of one run: the outbox has room for 20,000 of them.
const MESSAGES: u64 = 10_000;
/// Messages of a run that counts written bytes: what is written at the start weighs nothing beside them.
const COUNTED: u64 = 2_000;

/// Messages per second and their latency at 64 devices; bytes written per message alone and at 16 at a time.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let origin = nowhere()?;
    let (mut rates, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        let gateway = start(gateway, &origin, &[])?;
        let mut load = load(&gateway, &origin, DEVICES)?;
        let (tallies, elapsed) = load.run(Until::Ended(MESSAGES))?;
        let [tally] = tallies.as_slice() else {
            return Err("one group of clients has one tally".into());
        };
        if let Some((error, count)) = tally.errors.iter().next() {
            return Err(format!("{count} messages were not taken over: {error}").into());
        }
        rates.push(tally.latencies.len() as f64 / elapsed.as_secs_f64());
        p50.push(millis(tally.latency(0.50)));
        p99.push(millis(tally.latency(0.99)));
    }
    let runs = rates.len();
    let row = |name: &str, figure, unit, target, notes| Row {
        name: name.to_owned(),
        figure,
        unit,
        baseline: None,
        ratio: None,
        target,
        runs,
        notes,
    };
    // Of the worst run: one stall in five runs is a stall.
    let worst = p99.iter().copied().fold(f64::NAN, f64::max);
    Ok(vec![
        row(
            "`/send`, homeserver away, 64 devices: messages taken over",
            median(rates),
            "/s",
            Target::AtLeast(2000.0),
            format!("p50 {:.1} ms", median(p50)),
        ),
        row(
            "… p99",
            worst,
            "ms",
            Target::AtMost(50.0),
            "of the worst run".to_owned(),
        ),
        row(
            "… bytes written per message, one at a time",
            written(gateway, &origin, 1)?,
            "B",
            Target::AtMost(8192.0),
            format!("{COUNTED} messages; pages made dirty, by /proc/PID/io"),
        ),
        row(
            "… bytes written per message, 16 devices",
            written(gateway, &origin, 16)?,
            "B",
            Target::AtMost(2048.0),
            String::new(),
        ),
    ])
}

/// An origin where nobody listens.
pub(super) fn nowhere() -> Result<String, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Starts a gateway whose outbox has room for twice as much: the clients prove no address, and those who do not have a
/// half of it.
pub(super) fn start(gateway: &Gateway, origin: &str, more: &[&OsStr]) -> Result<Server, Failure> {
    let path = gateway.scratch().join("outbox.toml");
    std::fs::write(&path, "[outbox]\nmessages = 40000\nbytes = 33554432\n")?;
    let configuration: [&OsStr; 2] = ["--config".as_ref(), path.as_ref()];
    gateway.start_with(origin, &[&configuration, more].concat())
}

fn load(gateway: &Server, origin: &str, devices: usize) -> Result<Load, Failure> {
    let mut load = Load::new(gateway.address)?;
    let request = Request::queued(origin, ROOM, ACCESS_TOKEN);
    load.add(devices, &[request], None, Duration::ZERO)?;
    Ok(load)
}

/// Bytes written per message.
fn written(gateway: &Gateway, origin: &str, devices: usize) -> Result<f64, Failure> {
    let gateway = start(gateway, origin, &[])?;
    let mut load = load(&gateway, origin, devices)?;
    load.run(Until::Ended(devices as u64))?;
    let before = gateway.written()?;
    let (tallies, _) = load.run(Until::Ended(COUNTED))?;
    load.run(Until::Quiet)?;
    let messages: usize = tallies.iter().map(|tally| tally.latencies.len()).sum();
    Ok((gateway.written()? - before) as f64 / messages as f64)
}
