//! The default rule swapped again and again under load, every tenth time for one that is refused: the effect on
//! devices.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use gateway::control::client::send;
use gateway::control::{Command, Reply};
use gateway::rule_manager::ControlRequest;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::Gateway;
use super::super::report::{Row, Target, median, millis};
use super::super::variants;
use comatrix_tests::tally::Tally;

const NO_HOMESERVER: &str = "http://127.0.0.1:9";
const CLIENTS: usize = 64;
/// A hundred swaps in a minute.
const PERIOD: Duration = Duration::from_millis(600);
/// The compiler runs beside the serving path; its memory is freed meanwhile.
const SETTLE: Duration = Duration::from_secs(2);

/// The outcome of one swap.
#[derive(Debug)]
enum Swap {
    /// Milliseconds of preparation, microseconds of the swap itself.
    Done(f64, f64),
    Refused,
}

/// Failed requests, p99, memory, and the time that a swap takes.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let scratch = gateway.scratch().to_owned();
    let socket = scratch.join("control.sock");
    let server = gateway.start_with(
        NO_HOMESERVER,
        &["--control-socket".as_ref(), socket.as_os_str()],
    )?;
    let length = PERIOD * u32::try_from(plan.swaps)?;
    let mut load = Load::new(server.address)?;
    load.add(CLIENTS, &[Request::time()], None, Duration::ZERO)?;
    load.run(Until::Elapsed(plan.warm_up))?;
    let (quiet, _) = load.run(Until::Elapsed(length / 2))?;
    // Without the pages of the program itself: the compiler's come in when it first runs, and go when they are needed.
    let before = server.memory("RssAnon")?;
    let swaps = {
        let (socket, scratch, count) = (socket.clone(), scratch.clone(), plan.swaps);
        thread::spawn(move || swap_all(&socket, &scratch, count))
    };
    let (busy, _) = load.run(Until::Elapsed(length))?;
    let (rest, _) = load.run(Until::Quiet)?;
    let swaps = swaps
        .join()
        .map_err(|_| "the swapping thread panicked, as said above")??;
    thread::sleep(SETTLE);
    let after = server.memory("RssAnon")?;
    let warm = warm(&socket, &scratch)?;

    let refused = swaps
        .iter()
        .filter(|swap| matches!(swap, Swap::Refused))
        .count();
    let times = |swaps: &[Swap], of: fn(f64, f64) -> f64| {
        median(swaps.iter().filter_map(|swap| match swap {
            Swap::Done(prepared, swapped) => Some(of(*prepared, *swapped)),
            Swap::Refused => None,
        }))
    };
    let tallies = || quiet.iter().chain(&busy).chain(&rest);
    let failed: u64 = tallies().map(|tally| tally.failed() + tally.strays).sum();
    let responses: usize = busy.iter().map(|tally| tally.latencies.len()).sum();
    let p99 = |tallies: &[Tally]| millis(tallies[0].latency(0.99));
    let (calm, swapped) = (p99(&quiet), p99(&busy));
    let row = |name: &str, figure, unit, target| Row {
        name: name.to_owned(),
        figure,
        unit,
        baseline: None,
        ratio: None,
        target,
        runs: 1,
        notes: String::new(),
    };
    Ok(vec![
        Row {
            notes: format!(
                "{} swaps, {refused} of them refused; {responses} responses meanwhile, {} retransmissions",
                swaps.len(),
                tallies().map(|tally| tally.retransmissions).sum::<u64>()
            ),
            ..row(
                "swaps under load, 64 clients: requests failed or with two responses",
                failed as f64,
                "in all",
                Target::AtMost(0.0),
            )
        },
        Row {
            baseline: Some(("undisturbed", calm)),
            ratio: Some(swapped / calm),
            ..row("… p99 of `/time`", swapped, "ms", Target::RatioAtMost(3.0))
        },
        Row {
            baseline: Some(("before", before as f64 / 1e6)),
            ratio: Some(after as f64 / before as f64),
            ..row(
                "… anonymous memory afterwards",
                after as f64 / 1e6,
                "MB",
                Target::None,
            )
        },
        Row {
            notes: format!(
                "{:.0} ms where it was compiled",
                times(&swaps, |prepared, _| prepared)
            ),
            runs: warm.len(),
            ..row(
                "activation of a component whose code is cached",
                times(&warm, |prepared, _| prepared),
                "ms",
                Target::AtMost(5.0),
            )
        },
        Row {
            runs: swaps.len() - refused,
            ..row(
                "the swap itself, under load",
                times(&swaps, |_, swapped| swapped),
                "µs",
                Target::AtMost(10.0),
            )
        },
    ])
}

/// One swap per period, every tenth one for half a component.
fn swap_all(socket: &Path, scratch: &Path, count: usize) -> Result<Vec<Swap>, Failure> {
    let started = Instant::now();
    let mut swaps = Vec::new();
    for number in 0..count {
        let due = started + PERIOD * u32::try_from(number)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let file = if number % 10 == 9 {
            let path = scratch.join("half.wasm");
            let whole = variants::component(number);
            fs::write(&path, &whole[..whole.len() / 2])?;
            path
        } else {
            variants::file(scratch, number)?
        };
        swaps.push(swap(socket, file)?);
    }
    Ok(swaps)
}

/// Swaps between two components that were swapped in before.
fn warm(socket: &Path, scratch: &Path) -> Result<Vec<Swap>, Failure> {
    (0..40)
        .map(|number| swap(socket, variants::file(scratch, number % 2 + 1)?))
        .skip(2)
        .collect()
}

fn swap(socket: &Path, file: PathBuf) -> Result<Swap, Failure> {
    let rule = "comatrix".to_owned();
    match send(
        socket,
        &Command::Rules(ControlRequest::Swap {
            rule,
            file,
            keep: false,
        }),
    )? {
        Reply::Done(done) => {
            // "… (prepared in 1.2 ms, swapped in 3.4 µs)"
            let figure = |before: &str, after: &str| {
                let (_, rest) = done.split_once(before)?;
                rest.split_once(after)?.0.parse().ok()
            };
            let times = figure("prepared in ", " ms").zip(figure("swapped in ", " µs"));
            let (prepared, swapped) = times.ok_or_else(|| format!("no times in {done:?}"))?;
            Ok(Swap::Done(prepared, swapped))
        }
        Reply::Refused(_) => Ok(Swap::Refused),
        other => Err(format!("a swap led to {other:?}").into()),
    }
}
