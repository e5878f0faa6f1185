//! The engine on a disk that loses, at a power cut, any of what was written since the last synchronisation.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use comatrix_store::database::{Batch, Durability, Records, Space};
use comatrix_store::simulation::{Dice, Disk};

/// What a space should have, by key.
type Content = BTreeMap<u64, Vec<u8>>;

/// A run of batches, and what may be found after its end.
struct Run {
    dice: Dice,
    next_key: u64,
    /// What the last batch that outlives a power cut has left, and then each that may be lost; the last one of all may
    /// be there or not if it has failed.
    possible: Vec<Content>,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            next_key: 0,
            possible: vec![Content::new()],
        }
    }

    /// Makes and applies `count` batches, or as many as there is power for.
    fn apply(&mut self, records: &mut Records, count: u64) -> ControlFlow<()> {
        for _ in 0..count {
            let (batch, after) = self.batch();
            let durability = match self.dice.quarters(3) {
                true => Durability::PowerCut,
                false => Durability::Process,
            };
            let outcome = records.apply([&batch], durability);
            if outcome.is_ok() && durability == Durability::PowerCut {
                self.possible.clear();
            }
            self.possible.push(after);
            if outcome.is_err() {
                return ControlFlow::Break(());
            }
            records.shorten_log();
        }
        ControlFlow::Continue(())
    }

    /// Puts, replacements and deletions, of small values and of some that need many pages.
    fn batch(&mut self) -> (Batch, Content) {
        let mut after = self.possible.last().unwrap().clone();
        let mut batch = Batch::new();
        for _ in 0..=self.dice.below(6) {
            let chosen = after.keys().nth(self.dice.below(8) as usize).copied();
            let key = match chosen {
                Some(key) if self.dice.quarters(2) => key,
                _ => self.next_key,
            };
            if key < self.next_key && self.dice.quarters(3) {
                batch.delete(Space::Waiting, key);
                after.remove(&key);
                continue;
            }
            self.next_key = self.next_key.max(key + 1);
            let length = match self.dice.below(10) {
                0 => self.dice.below(6_000),
                _ => self.dice.below(600),
            };
            let value = vec![self.dice.number() as u8; length as usize];
            batch.put(Space::Waiting, key, value.clone());
            after.insert(key, value);
        }
        (batch, after)
    }

    /// Compares what is there with what may be, and goes on from it.
    fn compare(&mut self, records: &Records, seed: u64) {
        let mut found = Content::new();
        let add = |key, value: &[u8]| drop(found.insert(key, value.to_owned()));
        records.scan(Space::Waiting, add).unwrap();
        assert!(
            self.possible.contains(&found),
            "seed {seed}: {:?} and none of {:?}",
            found.keys(),
            self.possible.iter().map(BTreeMap::keys).collect::<Vec<_>>()
        );
        self.possible = vec![found];
    }
}

/// Opens, applies, and lets the power fail or the process end; then opens again, and so on.
fn ends(seed: u64, rounds: u64, prepare: impl Fn(&Disk, &mut Dice), end: impl Fn(&Disk, u64)) {
    let disk = Disk::new();
    let mut run = Run::new(seed);
    for round in 0..rounds {
        if round > 0 {
            end(&disk, seed ^ round);
        }
        // What an open finds outlives a power cut from then on, also one during the next open.
        let mut records = disk
            .open()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        run.compare(&records, seed);
        prepare(&disk, &mut run.dice);
        let _ = run.apply(&mut records, 12);
        drop(records);
    }
}

#[test]
fn after_a_cut_at_any_operation_each_committed_batch_is_there_and_each_batch_is_whole() {
    for seed in 0..1_000 {
        let prepare = |disk: &Disk, dice: &mut Dice| disk.cut_at_operation(dice.below(90));
        ends(seed, 5, prepare, |disk, seed| disk.restart(seed));
    }
}

#[test]
fn after_a_cut_at_each_synchronisation_each_committed_batch_is_there_and_each_batch_is_whole() {
    for seed in 0..40 {
        let disk = Disk::new();
        let _ = Run::new(seed).apply(&mut disk.open().unwrap(), 12);
        for at in 0..disk.syncs() {
            let disk = Disk::new();
            let mut run = Run::new(seed);
            disk.cut_at_sync(at);
            if let Ok(mut records) = disk.open() {
                let _ = run.apply(&mut records, 12);
            }
            disk.restart(seed ^ at);
            run.compare(&disk.open().unwrap(), seed);
        }
    }
}

#[test]
fn what_an_open_has_found_is_found_after_a_cut_too() {
    for seed in 0..300 {
        let disk = Disk::new();
        let mut run = Run::new(seed);
        let mut records = disk.open().unwrap();
        let _ = run.apply(&mut records, 6);
        disk.end_process();
        drop(records);
        let records = disk.open().unwrap();
        // Also what a power cut before this open would have undone.
        run.possible.drain(..run.possible.len() - 1);
        run.compare(&records, seed);
        disk.restart(seed);
        drop(records);
        run.compare(&disk.open().unwrap(), seed);
    }
}

#[test]
fn after_cuts_during_the_first_open_and_those_that_follow_the_file_opens() {
    for seed in 0..500 {
        let disk = Disk::new();
        let mut dice = Dice::new(seed);
        for _ in 0..6 {
            disk.cut_at_operation(dice.below(40));
            drop(disk.open());
            disk.restart(dice.number());
        }
        let records = disk
            .open()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(records.read(Space::Waiting, 0), Ok(None));
    }
}

#[test]
fn when_its_process_is_killed_each_applied_batch_is_there() {
    for seed in 0..200 {
        let end = |disk: &Disk, _| disk.end_process();
        let disk = Disk::new();
        let mut run = Run::new(seed);
        for _ in 0..4 {
            let mut records = disk.open().unwrap();
            run.compare(&records, seed);
            let _ = run.apply(&mut records, 8);
            run.possible.drain(..run.possible.len() - 1);
            end(&disk, ());
            drop(records);
        }
    }
}
