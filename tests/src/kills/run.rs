//! One run.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::device::{Identity, Ledger, Shared, work};
use super::dice::Dice;
use super::report::Report;
use crate::gateway::{self, Gateway};
use crate::matrix::{Account, Homeserver};
use crate::places::Scratch;
use crate::synapse::{RateLimits, Synapse};

/// Devices; each is a host, and every other one has transaction ids.
const DEVICES: usize = 16;
/// Rooms, each with an account that its devices share. The last one's is that of the gateway's configuration.
const ROOMS: usize = 4;
/// After the last kill and the last return of Synapse, messages that wait are lost if none arrives for so long. Pauses
/// grow to a minute and a half.
const STALLED: Duration = Duration::from_secs(240);

/// How often the gateway is killed.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// At most so many times.
    pub kills: usize,
    /// Not after this time.
    pub time: Duration,
    /// Of its random numbers.
    pub seed: u64,
}

/// The gateway, whose state and runtime folders stay.
struct Killed {
    gateway: Option<Gateway>,
    scratch: Scratch,
    /// In memory, as systemd's are.
    runtime: PathBuf,
    port: u16,
    faults: Vec<String>,
}

impl Killed {
    fn start(origin: &str, token: &str) -> Self {
        let scratch = Scratch::new("kills");
        let name = scratch.path().file_name().expect("it has a name");
        let runtime = PathBuf::from("/dev/shm").join(name);
        scratch.write("token", token);
        let configuration = format!(
            "log_level = \"warn\"\naccess_token_file = \"token\"\n[[homeserver]]\nurl = \"{origin}\"\n"
        );
        scratch.write("gateway.toml", &configuration);
        let mut killed = Self {
            gateway: None,
            scratch,
            runtime,
            port: 0,
            faults: Vec::new(),
        };
        killed.start_again();
        killed
    }

    fn start_again(&mut self) {
        let configuration = self.scratch.path().join("gateway.toml");
        let runtime = OsString::from(format!("RUNTIME_DIRECTORY={}", self.runtime.display()));
        let port = self.port.to_string();
        let configuration = configuration.display().to_string();
        let arguments = ["--config", &configuration, "-i", "0.0.0.0", "-p", &port];
        let folder = self.scratch.path();
        let gateway = Gateway::start_under(&["env".into(), runtime], folder, &arguments);
        self.port = gateway.address.port();
        self.gateway = Some(gateway);
    }

    fn kill(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.kill();
            let log = gateway.log();
            let is_fault = |line: &&str| line.contains("panicked") || line.contains(" ERROR ");
            self.faults
                .extend(log.lines().filter(is_fault).map(str::to_owned));
        }
    }

    /// Whether nothing waits any more.
    fn is_drained(&self) -> bool {
        let socket = self.runtime.join("control.sock").display().to_string();
        let output = gateway::run(&["outbox", "--control-socket", &socket, "list", "--json"]);
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        list["records"].as_array().is_some_and(Vec::is_empty)
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.runtime);
    }
}

/// Makes a run.
pub fn run(plan: &Plan) -> Report {
    let mut synapse = Synapse::start(RateLimits::Raised);
    let homeserver = synapse.homeserver();
    let rooms = rooms(&homeserver);
    let (account, _) = &rooms[ROOMS - 1];
    let mut killed = Killed::start(&synapse.origin, &account.access_token);
    let gateway: SocketAddr = ([127, 0, 0, 1], killed.port).into();
    let shared = Shared::default();
    let is_over = AtomicBool::new(false);
    let mut report = Report::default();
    let ledgers: Vec<Ledger> = thread::scope(|scope| {
        let identities = (0..DEVICES).map(|number| identity(number, &rooms));
        let devices: Vec<_> = identities
            .map(|identity| {
                let shared = &shared;
                scope.spawn(move || work(&identity, gateway, shared))
            })
            .collect();
        let outages = scope.spawn(|| outages(&mut synapse, plan.seed, &is_over));
        report.kills = kill_again_and_again(&mut killed, plan, &shared);
        is_over.store(true, Ordering::Relaxed);
        (report.stops, report.away) = outages.join().expect("Synapse starts again");
        shared.stop.store(true, Ordering::Relaxed);
        let ledgers = devices.into_iter().map(|device| device.join());
        ledgers
            .map(|ledger| ledger.expect("a device ends"))
            .collect()
    });
    report.compare(&ledgers, &drain(&killed, &rooms));
    killed.kill();
    report.faults = std::mem::take(&mut killed.faults);
    report
}

/// Waits until nothing waits any more, or nothing has arrived for a while: the texts of all rooms.
fn drain(killed: &Killed, rooms: &[(Account, String)]) -> Vec<String> {
    let mut arrived = timeline(rooms);
    let mut since = Instant::now();
    while !killed.is_drained() && since.elapsed() < STALLED {
        thread::sleep(Duration::from_secs(5));
        let texts = timeline(rooms);
        if texts.len() > arrived.len() {
            since = Instant::now();
        }
        arrived = texts;
    }
    timeline(rooms)
}

fn kill_again_and_again(killed: &mut Killed, plan: &Plan, shared: &Shared) -> usize {
    let mut dice = Dice::new(plan.seed);
    let end = Instant::now() + plan.time;
    let mut kills = 0;
    while kills < plan.kills && Instant::now() < end {
        // Some die before they have read the store, some have much to do.
        let life = match dice.below(4) {
            0 => dice.between(0, 100),
            1 => dice.between(100, 600),
            _ => dice.between(600, 4000),
        };
        thread::sleep(life);
        killed.kill();
        killed.start_again();
        kills += 1;
        shared.kills.store(kills, Ordering::Relaxed);
    }
    // What the last one has to do, it does.
    kills
}

/// Stops Synapse and starts it, until `is_over`; it is there in the end. How often, and how long it was away.
fn outages(synapse: &mut Synapse, seed: u64, is_over: &AtomicBool) -> (usize, Duration) {
    let mut dice = Dice::new(seed ^ 0xa11_0ff);
    let mut stops = 0;
    let mut away = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(dice.between(2_000, 12_000));
        let began = Instant::now();
        synapse.stop(dice.below(2) == 0);
        thread::sleep(dice.between(0, 8_000));
        synapse.start_again();
        stops += 1;
        away += began.elapsed();
    }
    (stops, away)
}

fn rooms(homeserver: &Homeserver) -> Vec<(Account, String)> {
    let make = |_| {
        let account = homeserver.register("killed");
        let room_id = account.create_room(None);
        (account, room_id)
    };
    (0..ROOMS).map(make).collect()
}

fn identity(number: usize, rooms: &[(Account, String)]) -> Identity {
    let (account, room_id) = &rooms[number % ROOMS];
    let is_configured = number % ROOMS == ROOMS - 1;
    Identity {
        number,
        address: IpAddr::from([127, 0, 1, number as u8 + 1]),
        room_id: room_id.clone(),
        token: (!is_configured).then(|| account.access_token.clone()),
        has_txn: (number / ROOMS).is_multiple_of(2),
    }
}

/// The texts of all rooms, one room after the other, the oldest first.
fn timeline(rooms: &[(Account, String)]) -> Vec<String> {
    let of_room = |(account, room_id): &(Account, String)| {
        let mut messages = account.all_messages(room_id);
        messages.reverse();
        let bodies = messages
            .iter()
            .filter_map(|message| message["body"].as_str());
        bodies.map(str::to_owned).collect::<Vec<_>>()
    };
    rooms.iter().flat_map(of_room).collect()
}
