//! `cargo xtask soak`: many devices on a lossy network, for minutes, with Synapse. No acknowledged message may be
//! missing in its room, none may be there twice, and the gateway's memory must not grow.
//!
//! [`device`] is one device, [`watcher`] one that observes, [`rooms`] reads their messages from Synapse, which
//! [`outages`] stops meanwhile if that is wanted, [`verdict`] has the table.

mod device;
pub mod outages;
mod rooms;
mod verdict;
mod watcher;

use std::fs::{File, read_to_string};
use std::rc::Rc;
use std::time::{Duration, Instant};

use comatrix_tests::synapse::{RateLimits, Synapse};
use tokio::task::LocalSet;

use super::Failure;
use super::process::{Gateway, Server};
use device::Device;
use outages::{Away, Outages, drain};
use rooms::Rooms;
use verdict::{Memory, Verdict};
use watcher::{Observed, Watcher};

/// Devices; each is a UDP socket.
const DEVICES: usize = 500;
/// Devices besides that observe a room and send nothing.
const WATCHERS: usize = 50;
/// Rooms, each with an account that its devices share: Synapse takes a third of a second to make one.
const ROOMS: usize = 10;
/// Percent of the datagrams of a device, each way, that it drops.
const LOSS: u64 = 10;
/// Each device makes an exchange in this time on average: 50 in all per second, which Synapse on a shared core bears.
const PERIOD: Duration = Duration::from_secs(10);
/// When memory is read first: caches are full by then.
const WARM: Duration = Duration::from_secs(60);

/// Runs for so many minutes and prints the table.
///
/// # Errors
/// A part does not start, something was lost, or memory was not flat.
pub fn run(minutes: u64, outages: Option<Outages>, print: impl Fn(&str)) -> Result<(), Failure> {
    let gateway = Gateway::find()?;
    let mut synapse = Synapse::start(RateLimits::Raised);
    let rooms = Rc::new(Rooms::make(&synapse.homeserver(), ROOMS));
    let log = gateway.scratch().join("gateway.log");
    let mut command = gateway.command(&synapse.origin);
    let socket = gateway.scratch().join("control.sock");
    command.arg("--control-socket").arg(&socket);
    command.stderr(File::create(&log)?);
    let server = Server::start(command)?;
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let (loaded, away) = std::thread::scope(|scope| {
        let synapse = &mut synapse;
        let stopping = outages.map(|outages| scope.spawn(move || outages.run(synapse, end)));
        let loaded = load(&server, &rooms, end);
        let away = stopping.map(|stopping| stopping.join());
        (loaded, away.transpose())
    });
    let away = away.map_err(|_| "Synapse did not start again")?;
    let (mut memory, ledgers, observations) = loaded?;
    let waiting = drain(gateway.binary(), &socket);
    memory.end = server.memory("VmRSS")?;
    let read = rooms.read();
    let verdict = Verdict::new(ledgers, &read, memory)
        .watched(&observations, &rooms.timelines())
        .away(away, waiting);
    print(&verdict.table(minutes, &read_to_string(&log).unwrap_or_default()));
    verdict
        .problem()
        .map_or(Ok(()), |problem| Err(problem.into()))
}

/// All devices until `end`, and each then to the end of its exchange.
fn load(
    server: &Server,
    rooms: &Rc<Rooms>,
    end: Instant,
) -> Result<(Memory, Vec<device::Ledger>, Vec<Observed>), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let rss = || server.memory("VmRSS");
    let start = rss()?;
    let warm_at = (Instant::now() + WARM).min(Instant::now() + (end - Instant::now()) / 2);
    LocalSet::new().block_on(&runtime, async {
        let mut devices = Vec::new();
        for number in 0..DEVICES {
            let device = Device::new(number, server.address, Rc::clone(rooms)).await?;
            devices.push(tokio::task::spawn_local(device.run(end)));
        }
        let mut watchers = Vec::new();
        for number in 0..WATCHERS {
            let watcher = Watcher::new(number, server.address, Rc::clone(rooms)).await?;
            watchers.push(tokio::task::spawn_local(watcher.run(end)));
        }
        tokio::time::sleep_until(warm_at.into()).await;
        let warm = rss()?;
        let mut ledgers = Vec::new();
        for device in devices {
            ledgers.push(device.await??);
        }
        let mut observations = Vec::new();
        for watcher in watchers {
            observations.extend(watcher.await??);
        }
        let memory = Memory {
            start,
            warm,
            end: rss()?,
        };
        Ok((memory, ledgers, observations))
    })
}
