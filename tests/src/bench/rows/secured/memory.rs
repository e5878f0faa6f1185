//! Handshakes, and the memory of sessions and of security contexts.

use std::time::{Duration, Instant};

use coap::{Message, code, option};

use super::super::super::Failure;
use super::super::super::device::{Device, Protection};
use super::super::super::plan::Plan;
use super::super::super::process::Gateway;
use super::super::super::report::{Row, Target};
use super::stage::{Stage, kid, psk};

/// Devices that shake hands, or ask, at the same time.
pub(super) const AT_ONCE: usize = 16;
/// Time in which memory of what has just been done may be freed.
pub(super) const SETTLE: Duration = Duration::from_secs(1);

/// Handshakes per second, and bytes of each session and context. Each has a gateway of its own, because one enrols
/// 10,000 devices.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let (mut rows, without_context) = sessions(plan.secured, gateway)?;
    rows.push(contexts(plan.secured, gateway, without_context)?);
    Ok(rows)
}

/// The rows, and KiB of a device that is enrolled with a key and has no session.
fn sessions(count: usize, gateway: &Gateway) -> Result<(Vec<Row>, f64), Failure> {
    let stage = Stage::start(gateway)?;
    let rss = || stage.server.memory("VmRSS").map(|bytes| bytes as f64);
    let idle = rss()?;
    stage.enrol_psk(count)?;
    // The device's library tests itself for each session, which is no cost of the gateway: before the clock runs.
    let made = (0..count).map(|number| Protection::session(&psk(number)));
    let made = made.collect::<Result<Vec<_>, Failure>>()?;
    std::thread::sleep(SETTLE);
    let (enrolled, ran) = (rss()?, stage.server.run_time()?);
    let began = Instant::now();
    in_parallel(made, |number, protection| {
        Device::new(number, stage.coaps, protection)?.connect()
    })?;
    let elapsed = began.elapsed().as_secs_f64();
    let cpu = (stage.server.run_time()? - ran).as_secs_f64();
    std::thread::sleep(SETTLE);
    let loaded = rss()?;
    stage.enrol_oscore(count)?;
    ask_each(&stage, count)?;
    std::thread::sleep(SETTLE);
    let both = rss()?;
    let row = |name: &str, figure: f64, unit: &'static str, target: Target, notes: String| Row {
        name: name.to_owned(),
        figure,
        unit,
        baseline: None,
        ratio: None,
        target,
        runs: 1,
        notes,
    };
    let handshakes = count as f64;
    let rows = vec![
        row(
            "handshakes with a pre-shared key",
            handshakes / elapsed,
            "/s",
            Target::AtLeast(2_000.0),
            format!("{count} handshakes, {AT_ONCE} at a time; the devices are on the same cores"),
        ),
        row(
            "handshakes with a pre-shared key, in a second of the gateway's CPU",
            handshakes / cpu,
            "/s",
            Target::AtLeast(10_000.0),
            String::new(),
        ),
        row(
            "memory of a session with a pre-shared key",
            (loaded - enrolled) / handshakes / 1024.0,
            "KiB",
            Target::AtMost(8.0),
            format!(
                "RSS {:.1} MB idle, {:.1} MB with {count} enrolled devices, {:.1} MB with their sessions",
                idle / 1e6,
                enrolled / 1e6,
                loaded / 1e6
            ),
        ),
        row(
            "memory with sessions and as many OSCORE contexts",
            both / 1e6,
            "MB",
            // Of the 10,000 of a thorough run.
            Target::AtMost(100.0),
            format!("{count} of each, each used"),
        ),
    ];
    Ok((rows, (enrolled - idle) / handshakes / 1024.0))
}

fn contexts(count: usize, gateway: &Gateway, without: f64) -> Result<Row, Failure> {
    let stage = Stage::start(gateway)?;
    let rss = || stage.server.memory("VmRSS").map(|bytes| bytes as f64);
    let idle = rss()?;
    stage.enrol_oscore(count)?;
    std::thread::sleep(SETTLE);
    let enrolled = rss()?;
    ask_each(&stage, count)?;
    std::thread::sleep(SETTLE);
    let used = rss()?;
    Ok(Row {
        name: "memory of an OSCORE context, with its enrolment".to_owned(),
        figure: (enrolled - idle) / count as f64 / 1024.0,
        unit: "KiB",
        baseline: Some(("enrolled with a key, no session", without)),
        ratio: None,
        target: Target::AtMost(2.0),
        runs: 1,
        notes: format!(
            "RSS {:.1} MB idle, {:.1} MB with {count} contexts, {:.1} MB after a request in each",
            idle / 1e6,
            enrolled / 1e6,
            used / 1e6
        ),
    })
}

/// A request in each context.
fn ask_each(stage: &Stage, count: usize) -> Result<(), Failure> {
    let made = (0..count).map(|number| Protection::oscore(kid(number)));
    let made = made.collect::<Result<Vec<_>, Failure>>()?;
    let time = Message::new(code::GET).with_option(option::URI_PATH, "time");
    in_parallel(made, |number, protection| {
        let mut device = Device::new(number, stage.server.address, protection)?;
        device.ask(&time).map(drop)
    })
}

/// Does this with each, some at a time.
pub(super) fn in_parallel<T: Send>(
    made: Vec<T>,
    work: impl Fn(usize, T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = std::sync::Mutex::new(made.into_iter().enumerate());
    std::thread::scope(|scope| {
        let worker = || {
            loop {
                let taken = next.lock().map_err(|_| "another device failed")?.next();
                match taken {
                    Some((number, protection)) => work(number, protection)?,
                    None => return Ok(()),
                }
            }
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        let mut outcome = Ok(());
        for worker in workers {
            outcome = outcome.and(
                worker
                    .join()
                    .unwrap_or_else(|_| Err("a device failed".into())),
            );
        }
        outcome
    })
}
