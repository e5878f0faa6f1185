//! A world: a router and its disk, devices, a homeserver. Rounds of operations end by a power cut, a kill or a stop;
//! at last everything is well, and what was promised must be in its room.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use store::simulation::{Dice, Disk};
use tokio::time::Instant;

use super::clock;
use super::configuration::AGE;
use super::homeserver::Mood;
use super::message::{Heard, Message};
use super::network::Network;
use super::process::Process;
use super::tally::Tally;
use crate::outbox::OutboxSettings;
use crate::request::{Snapshot, SnapshotCell};

const HOUR: Duration = Duration::from_secs(3600);

/// When the power is cut.
#[derive(Clone, Copy, Debug)]
pub enum Cuts {
    /// As the seed says, in each round.
    Seeded,
    /// Once, in the first round, at this synchronisation.
    AtSync(u64),
}

pub struct World {
    pub seed: u64,
    pub dice: Dice,
    pub trace: bool,
    pub start: Instant,
    pub disk: Disk,
    pub network: Network,
    pub snapshots: Arc<SnapshotCell>,
    pub process: Option<Process>,
    pub messages: Vec<Message>,
    /// Messages by the transaction ids that homeservers see.
    pub by_id: BTreeMap<String, usize>,
    pub order: u64,
    /// Power cuts up to now.
    pub boot: u64,
    /// Whether the router's clock has a battery.
    pub has_battery: bool,
    /// How long a message waits.
    pub age: Duration,
    pub tally: Tally,
}

impl World {
    /// Inside of a runtime whose clock stands still.
    pub fn new(seed: u64, mut snapshot: Snapshot, trace: bool) -> Self {
        let mut dice = Dice::new(seed);
        let start = Instant::now();
        clock::set(start);
        let network = Network::new(dice.number(), start);
        // Without either, a message can come twice: the content alone says too little.
        let has_battery = dice.quarters(2) || !network.0.borrow().shows_ids;
        // If it was accepted while the clock was wrong, it can expire early after a restart.
        let age = if has_battery { AGE } else { 10 * AGE };
        let mut outbox = OutboxSettings::clone(&snapshot.outbox);
        outbox.limits.age = age;
        snapshot.outbox = Arc::new(outbox);
        Self {
            age,
            seed,
            trace,
            start,
            disk: Disk::new(),
            network,
            snapshots: SnapshotCell::new(snapshot),
            process: None,
            messages: Vec::new(),
            by_id: BTreeMap::new(),
            order: 0,
            boot: 0,
            has_battery,
            tally: Tally::default(),
            dice,
        }
    }

    /// Runs it to its end. The synchronisations of the first round are counted.
    pub async fn run(mut self, cuts: Cuts) -> (Tally, u64) {
        let rounds = match cuts {
            Cuts::Seeded => 2 + self.dice.below(4),
            Cuts::AtSync(_) => 1,
        };
        let mut syncs = 0;
        for round in 0..rounds {
            match cuts {
                Cuts::AtSync(number) => self.disk.cut_at_sync(number),
                Cuts::Seeded => self.arm(),
            }
            self.start_process().await;
            let steps = 15 + self.dice.below(45);
            for _ in 0..steps {
                if self.process.is_none() {
                    break;
                }
                self.step().await;
            }
            if round == 0 {
                syncs = self.disk.syncs();
            }
            self.end_round().await;
        }
        self.heal().await;
        self.judge();
        self.count();
        (self.tally.clone(), syncs)
    }

    pub fn say(&self, text: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>9.3} {}", self.start.elapsed().as_secs_f64(), text());
        }
    }

    fn arm(&mut self) {
        match self.dice.below(4) {
            0 => self.disk.cut_at_sync(self.dice.below(40)),
            1 | 2 => self.disk.cut_at_operation(self.dice.below(600)),
            _ => {}
        }
    }

    /// Starts the gateway; again, if the power is cut while the file opens.
    pub async fn start_process(&mut self) {
        let mut tries = 0;
        while self.process.is_none() {
            match self.disk.open() {
                Ok(records) => {
                    let seed = self.dice.number();
                    let process = Process::start(records, &self.snapshots, &self.network, seed);
                    self.say(|| format!("the gateway starts: {:?}", process.restored));
                    self.process = Some(process);
                }
                Err(error) => {
                    assert!(!self.disk.has_power(), "the file does not open: {error}");
                    self.tally.opens_cut += 1;
                    tries += 1;
                    assert!(tries < 3, "{error}");
                    self.power_returns().await;
                }
            }
        }
        self.check_start();
    }

    async fn end_round(&mut self) {
        if self.process.is_some() && self.dice.quarters(2) {
            let time = Duration::from_secs(self.dice.below(60));
            self.wait(time).await;
        }
        let is_cut = !self.disk.has_power() || self.dice.quarters(2);
        self.kill();
        if is_cut {
            self.power_returns().await;
        }
        self.disk.cut_no_more();
        self.disk.limit(None);
        self.disk.fail_syncs(0);
    }

    /// The process ends; the machine runs on.
    pub fn kill(&mut self) {
        let Some(process) = self.process.take() else {
            return;
        };
        self.say(|| "the process is killed".to_owned());
        self.tally.kills += 1;
        self.tally.attempts += process.deliveries.counters().attempts.get();
        self.tally.disk_errors += process.deliveries.disk_errors();
        self.tally.full += process.deliveries.counters().refused.get();
        process.kill(&self.disk);
        for message in &mut self.messages {
            for exchange in &mut message.exchanges {
                if exchange.end == Heard::Nothing {
                    exchange.end = Heard::Lost;
                    self.tally.lost_responses += 1;
                }
            }
        }
    }

    /// The power is cut, if it was not, and returns after a while.
    async fn power_returns(&mut self) {
        self.tally.cuts += 1;
        let off = match self.dice.below(4) {
            0 => Duration::from_secs(self.dice.below(10)),
            1 => Duration::from_secs(self.dice.below(600)),
            2 => HOUR / 2 + Duration::from_secs(self.dice.below(600)),
            _ => 3 * HOUR,
        };
        self.disk.restart(self.dice.number());
        self.boot += 1;
        self.pass(off).await;
        if !self.has_battery {
            if self.dice.quarters(2) {
                clock::unset();
            } else {
                clock::stand_still(off);
            }
        }
        self.say(|| format!("the power is back after {} s", off.as_secs()));
    }

    /// Everything is well from now on; what waits is sent.
    pub async fn heal(&mut self) {
        clock::set(self.start);
        {
            let mut homeserver = self.network.0.borrow_mut();
            homeserver.mood = Mood::Up;
            homeserver.forbidden.clear();
        }
        self.say(|| "everything is well".to_owned());
        self.start_process().await;
        if let Some(process) = &self.process {
            process.deliveries.reconfigure();
        }
        for _ in 0..200 {
            self.wait(Duration::from_secs(10)).await;
            let waiting = |process: &Process| process.deliveries.totals().waiting.0;
            let is_idle = self
                .process
                .as_ref()
                .is_some_and(|process| waiting(process) == 0 && process.pending.is_empty());
            if is_idle {
                return;
            }
        }
        panic!("messages wait although everything is well");
    }

    fn count(&mut self) {
        self.kill();
        self.tally.kills -= 1;
        let homeserver = self.network.0.borrow();
        self.tally.searches += homeserver.searches;
        self.tally.found += homeserver.found;
        self.tally.repeated_transactions += homeserver.repeated;
        self.tally.messages += self.messages.len() as u64;
    }
}
