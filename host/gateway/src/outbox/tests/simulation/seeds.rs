//! Runs the worlds of many seeds on every core, or one of them with a trace.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::configuration::snapshot;
use super::tally::Tally;
use super::world::{Cuts, World};
use crate::request::Snapshot;

/// Worlds of one test run.
const SEEDS: u64 = 2_000;
/// Of the homeserver's absence.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Names another number of worlds.
const COUNT: &str = "COMATRIX_OUTBOX_SEEDS";
/// Names the one seed to run, with a trace.
const REPLAY: &str = "COMATRIX_OUTBOX_SEED";

/// Runs a world. Also returns the synchronisations of its first round.
fn run(seed: u64, snapshot: &Snapshot, cuts: Cuts, trace: bool) -> (Tally, u64) {
    in_runtime(async { World::new(seed, snapshot.clone(), trace).run(cuts).await })
}

/// Time passes there when nothing else is to be done.
fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("it needs no system resource");
    runtime.block_on(work)
}

/// Runs the worlds of these seeds on every core. The first that fails ends the test with its name.
fn run_all(seeds: u64) -> Tally {
    let next = AtomicU64::new(0);
    let worker = || {
        let snapshot = snapshot();
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return Ok(sum);
            }
            let world = AssertUnwindSafe(|| run(seed, &snapshot, Cuts::Seeded, false));
            let (tally, _) = catch_unwind(world).map_err(|_| {
                next.store(seeds, Ordering::Relaxed);
                seed
            })?;
            sum += tally;
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
                 {REPLAY}={seed} cargo test -p comatrix-gateway --lib outbox::tests -- --nocapture"
            )
        });
    }
    all
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|error| panic!("{variable}={text}: {error}")))
}

#[test]
fn what_was_accepted_is_in_its_room_once_and_in_order_whatever_fails() {
    if let Some(seed) = number(REPLAY) {
        run(seed, &snapshot(), Cuts::Seeded, true);
        return;
    }
    let mut tally = run_all(number(COUNT).unwrap_or(SEEDS));
    println!("{tally:?}");
    // The worlds were worth it: everything that may happen did.
    for (what, count) in tally.parts() {
        assert!(*count > 0, "{what}");
    }
}

#[test]
fn what_was_accepted_is_there_after_a_cut_at_each_synchronisation() {
    let snapshot = snapshot();
    for seed in 0..20 {
        let (_, syncs) = run(seed, &snapshot, Cuts::AtSync(u64::MAX), false);
        for number in 0..syncs {
            run(seed, &snapshot, Cuts::AtSync(number), false);
        }
    }
}

#[test]
fn what_comes_on_a_day_without_the_homeserver_is_sent_when_it_is_back() {
    let snapshot = snapshot();
    let mut worlds = 0;
    for seed in 0..20 {
        let world = World::new(seed, snapshot.clone(), false);
        // In the others messages expire sooner.
        if world.age > DAY {
            let attempts = in_runtime(world.run_day_without_homeserver());
            // One lane asks, after pauses that grow to a minute.
            assert!((24 * 60 / 2..24 * 60 * 2).contains(&attempts), "{attempts}");
            worlds += 1;
        }
    }
    assert!(worlds > 0);
}

#[test]
fn a_message_that_the_disk_does_not_take_keeps_its_place_until_its_attempt_has_ended() {
    let snapshot = snapshot();
    let mut sent = 0;
    for seed in 0..100 {
        let world = World::new(seed, snapshot.clone(), false);
        sent += u32::from(in_runtime(world.run_late_response_on_a_full_disk()));
    }
    // In the others, one got no response, or the second one found the first still in flight.
    assert!(sent > 0);
}

#[test]
fn a_seed_makes_the_same_world_twice() {
    let snapshot = snapshot();
    for seed in [0, 3, 17] {
        let again = || run(seed, &snapshot, Cuts::Seeded, false);
        assert_eq!(again(), again(), "seed {seed}");
    }
}
