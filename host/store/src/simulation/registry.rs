//! The disks that exist, by the first part of their files' paths: the engine knows files by path alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::machine::Machine;

static DISKS: Mutex<Disks> = Mutex::new(Disks {
    mounted: 0,
    by_number: BTreeMap::new(),
});

struct Disks {
    /// How many there have been: each gets a number of its own.
    mounted: u64,
    by_number: BTreeMap<u64, Weak<Mutex<Machine>>>,
}

/// A disk that the engine can find, until this is dropped.
pub struct Mounted {
    number: u64,
}

impl Mounted {
    /// Makes a disk findable.
    pub fn new(machine: &Arc<Mutex<Machine>>) -> Self {
        let mut disks = lock(&DISKS);
        disks.mounted += 1;
        let number = disks.mounted;
        disks.by_number.insert(number, Arc::downgrade(machine));
        Self { number }
    }

    /// The path of the database on it.
    pub fn file(&self) -> String {
        format!("/{}/state.db", self.number)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        lock(&DISKS).by_number.remove(&self.number);
    }
}

/// The disk of a path.
pub fn find(path: &str) -> Option<Arc<Mutex<Machine>>> {
    let number = path.split('/').nth(1)?.parse().ok()?;
    lock(&DISKS).by_number.get(&number)?.upgrade()
}

/// A test that has failed elsewhere does not make others fail.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
