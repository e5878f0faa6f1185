//! Runs the worlds of many seeds on every core, or of one.

use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::sides::Gateway;
use super::world::World;

/// The number of worlds, if it is not that of the test.
const MANY: &str = "COMATRIX_SECURE_SEEDS";
/// The one seed to run, with a trace.
const REPLAY: &str = "COMATRIX_SECURE_SEED";

/// What happened in worlds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) challenges: u64,
    pub(super) sessions: u64,
    pub(super) reboots: u64,
    pub(super) moves: u64,
    pub(super) restarts: u64,
    pub(super) replays: u64,
    pub(super) corrupted: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.challenges += other.challenges;
        self.sessions += other.sessions;
        self.reboots += other.reboots;
        self.moves += other.moves;
        self.restarts += other.restarts;
        self.replays += other.replays;
        self.corrupted += other.corrupted;
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// The sum of all worlds and their number; none if one seed was to be replayed. `way` is in the name of the test.
pub(super) fn run<G: Gateway>(way: &str, seeds: u64) -> Option<(Tally, u64)> {
    if let Some(seed) = number(REPLAY) {
        World::<G>::new(seed, true).run();
        return None;
    }
    let seeds = number(MANY).unwrap_or(seeds);
    let next = AtomicU64::new(0);
    let worker = || {
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return Ok(sum);
            }
            let world = AssertUnwindSafe(|| World::<G>::new(seed, false).run());
            sum += catch_unwind(world).map_err(|_| {
                next.store(seeds, Ordering::Relaxed);
                seed
            })?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let sums: Vec<Result<Tally, u64>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|sum| sum.expect("a worker catches")).collect()
    });
    let mut all = Tally::default();
    for sum in sums {
        all += sum.unwrap_or_else(|seed| {
            panic!(
                "seed {seed} fails, see above. Replay it with a trace: \
                 {REPLAY}={seed} cargo test -p comatrix-secure --lib simulation::every_device_is_served_once_{way} \
                 -- --nocapture"
            )
        });
    }
    Some((all, seeds))
}
