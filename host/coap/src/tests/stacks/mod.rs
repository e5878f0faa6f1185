//! Models of the CoAP stacks that devices use, with their default settings, against the endpoint on a bad network: each
//! kind of resource, an observation, an upload, and restarts.
//!
//! `table` has the stacks as data, `errand` the requests and responses, `device` and `exchange` the behaviour, `world`
//! the network, the caller and what must hold: no message is lost after a 2.04 or processed twice, no response belongs
//! to another request, and no stack gets what it cuts or discards.

mod device;
mod errand;
mod exchange;
mod parser;
mod table;
mod world;

use errand::ERRANDS;
use table::{Ids, STACKS, Stack};
use world::{Tally, World};

/// Worlds of each stack.
const SEEDS: u64 = 1_000;

/// Names the one seed to run with every stack.
const REPLAY: &str = "COMATRIX_STACK_SEED";

fn seeds() -> std::ops::Range<u64> {
    match std::env::var(REPLAY)
        .ok()
        .and_then(|seed| seed.parse::<u64>().ok())
    {
        Some(seed) => seed..seed + 1,
        None => 0..SEEDS,
    }
}

fn run(stack: Stack) -> Tally {
    let mut sum = Tally::default();
    for seed in seeds() {
        let world = std::panic::AssertUnwindSafe(|| World::new(stack, seed).run());
        let tally = std::panic::catch_unwind(world).unwrap_or_else(|_| {
            panic!(
                "{} fails with seed {seed}: {REPLAY}={seed} replays it",
                stack.name
            )
        });
        sum.completed.extend(tally.completed);
        sum.promises += tally.promises;
        sum.notified += tally.notified;
        sum.restarted += tally.restarted;
        sum.reused += tally.reused;
    }
    sum
}

#[test]
fn each_stack_sends_reads_and_observes_with_its_default_settings_and_gets_nothing_that_it_cuts() {
    for stack in STACKS {
        let tally = run(stack);
        if seeds().count() == 1 {
            continue;
        }
        let name = stack.name;
        for errand in ERRANDS {
            let is_possible =
                errand.path() != "missing" && (errand.path() != "upload" || stack.block1.is_some());
            let has = tally.completed.contains(errand.path());
            assert_eq!(has, is_possible, "{name}: {errand:?}");
        }
        assert!(
            tally.promises > 1_000,
            "{name}: {} messages arrived",
            tally.promises
        );
        assert_eq!(
            tally.notified > 1_000,
            stack.observes,
            "{name}: {}",
            tally.notified
        );
        assert!(tally.restarted > 100, "{name}");
        let reuses = stack.ids == Ids::Repeats;
        assert!(
            tally.reused > 100 || !reuses,
            "{name}: {} IDs again",
            tally.reused
        );
    }
}
