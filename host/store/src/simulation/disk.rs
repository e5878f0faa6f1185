//! The disk of one run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use super::dice::Dice;
use super::machine::Machine;
use super::registry::{Mounted, lock};
use super::vfs;
use crate::database::{OpenError, Records};

/// A disk in memory. It loses what was not synchronised when its power is cut.
pub struct Disk {
    machine: Arc<Mutex<Machine>>,
    mounted: Mounted,
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        vfs::register();
        let machine = Arc::default();
        let mounted = Mounted::new(&machine);
        Self { machine, mounted }
    }

    /// Opens the database on it.
    ///
    /// # Errors
    /// [`OpenError::File`]: the power is cut meanwhile, or the file is damaged, which is not set aside here.
    pub fn open(&self) -> Result<Records, OpenError> {
        Records::open_simulated(&self.path(), vfs::NAME)
    }

    /// Where the engine finds the database.
    pub(crate) fn path(&self) -> PathBuf {
        self.mounted.file().into()
    }

    /// Cuts the power at a synchronisation, in place of it; the next one is 0. Every operation fails then, until
    /// [`Self::restart`].
    pub fn cut_at_sync(&self, number: u64) {
        let mut machine = self.machine();
        machine.cut_at_sync = Some(machine.syncs + number);
    }

    /// Cuts the power at a write, truncation, synchronisation or removal, in place of it; the next one is 0.
    pub fn cut_at_operation(&self, number: u64) {
        let mut machine = self.machine();
        machine.cut_at_operation = Some(machine.operations + number);
    }

    /// Takes back what [`Self::cut_at_sync`] and [`Self::cut_at_operation`] have said.
    pub fn cut_no_more(&self) {
        let mut machine = self.machine();
        machine.cut_at_sync = None;
        machine.cut_at_operation = None;
    }

    /// Cuts the power, if it was not cut, and gives it back. The seed says which of the sectors written since the last
    /// synchronisation are on the disk. Drop the records of before.
    pub fn restart(&self, seed: u64) {
        self.machine().restart(&mut Dice::new(seed));
    }

    /// Whether it has power.
    #[must_use]
    pub fn has_power(&self) -> bool {
        self.machine().has_power()
    }

    /// Ends the process that has the records, as `kill -9` does: all it has written is there. Drop the records then.
    pub fn end_process(&self) {
        self.machine().end_process();
    }

    /// Makes all files together have at most so many bytes. `None`: any.
    pub fn limit(&self, bytes: Option<usize>) {
        self.machine().room = bytes;
    }

    /// Makes the next synchronisations fail.
    pub fn fail_syncs(&self, count: u64) {
        self.machine().failing_syncs = count;
    }

    /// Synchronisations up to now.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.machine().syncs
    }

    /// Writes, truncations, synchronisations and removals up to now.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.machine().operations
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }
}
