//! The simulated machine: its files by name, its power, and the process that runs on it.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::file::File;

/// Why an operation of a file fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no power, or the process that opened the file has ended.
    Gone,
    /// No room.
    Full,
    /// The synchronisation failed.
    NotSynchronised,
    /// No such file.
    Missing,
}

/// An open file: its number, and which process opened it.
#[derive(Clone, Copy)]
pub struct OpenFile {
    number: usize,
    process: u64,
}

/// Files, power, and the process.
#[derive(Default)]
pub struct Machine {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    /// Removed, but a power cut can bring them back.
    removed: Vec<(String, usize)>,
    /// Power cuts and ends of processes up to now.
    process: u64,
    has_no_power: bool,
    /// Writes, truncations, synchronisations and removals up to now.
    pub operations: u64,
    pub syncs: u64,
    /// When the power fails, as counted by `operations` or `syncs`.
    pub cut_at_operation: Option<u64>,
    pub cut_at_sync: Option<u64>,
    /// The bytes of all files have at most this many.
    pub room: Option<usize>,
    /// Synchronisations that fail from now on.
    pub failing_syncs: u64,
}

impl Machine {
    /// Opens a file, which is made if it is missing.
    pub fn open(&mut self, name: &str) -> Result<OpenFile, Fault> {
        if self.has_no_power {
            return Err(Fault::Gone);
        }
        let number = match self.names.get(name) {
            Some(number) => *number,
            None => {
                self.files.push(File::default());
                self.names.insert(name.to_owned(), self.files.len() - 1);
                self.files.len() - 1
            }
        };
        Ok(OpenFile {
            number,
            process: self.process,
        })
    }

    pub fn exists(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub fn content(&self, file: OpenFile) -> Result<&[u8], Fault> {
        self.check(file)?;
        Ok(self.files[file.number].content())
    }

    pub fn write(&mut self, file: OpenFile, offset: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.operate(file)?;
        let length = self.files[file.number].content().len();
        let added = (offset + bytes.len()).saturating_sub(length);
        let used: usize = self
            .names
            .values()
            .map(|one| self.files[*one].content().len())
            .sum();
        if added > 0 && self.room.is_some_and(|room| used + added > room) {
            return Err(Fault::Full);
        }
        self.files[file.number].write(offset, bytes);
        Ok(())
    }

    pub fn truncate(&mut self, file: OpenFile, length: usize) -> Result<(), Fault> {
        self.operate(file)?;
        self.files[file.number].truncate(length);
        Ok(())
    }

    pub fn synchronise(&mut self, file: OpenFile) -> Result<(), Fault> {
        self.check(file)?;
        if self.cut_at_sync.is_some_and(|at| self.syncs >= at) {
            self.has_no_power = true;
        }
        self.operate(file)?;
        self.syncs += 1;
        if self.failing_syncs > 0 {
            self.failing_syncs -= 1;
            return Err(Fault::NotSynchronised);
        }
        self.files[file.number].synchronise();
        // A file that had this name before does not come back.
        let names = &self.names;
        self.removed
            .retain(|(name, _)| names.get(name) != Some(&file.number));
        Ok(())
    }

    pub fn remove(&mut self, name: &str, durably: bool) -> Result<(), Fault> {
        self.count_operation()?;
        let number = self.names.remove(name).ok_or(Fault::Missing)?;
        if !durably && self.files[number].has_durable_name {
            self.removed.push((name.to_owned(), number));
        }
        Ok(())
    }

    pub fn has_power(&self) -> bool {
        !self.has_no_power
    }

    /// The process ends without a last word. What it has written stays, the open files do not.
    pub fn end_process(&mut self) {
        self.process += 1;
    }

    /// The power is cut, if it was not, and comes back.
    pub fn restart(&mut self, dice: &mut Dice) {
        self.end_process();
        // Also none and all.
        let quarters = dice.below(5);
        for (name, number) in std::mem::take(&mut self.removed) {
            if dice.quarters(quarters) {
                self.names.insert(name, number);
            }
        }
        let files = &mut self.files;
        self.names
            .retain(|_, number| files[*number].has_durable_name || dice.quarters(quarters));
        for number in self.names.values() {
            files[*number].lose(dice, quarters);
        }
        self.has_no_power = false;
        self.cut_at_operation = None;
        self.cut_at_sync = None;
    }

    fn operate(&mut self, file: OpenFile) -> Result<(), Fault> {
        self.check(file)?;
        self.count_operation()
    }

    fn count_operation(&mut self) -> Result<(), Fault> {
        if self
            .cut_at_operation
            .is_some_and(|at| self.operations >= at)
        {
            self.has_no_power = true;
        }
        if self.has_no_power {
            return Err(Fault::Gone);
        }
        self.operations += 1;
        Ok(())
    }

    fn check(&self, file: OpenFile) -> Result<(), Fault> {
        if self.has_no_power || file.process != self.process {
            return Err(Fault::Gone);
        }
        Ok(())
    }
}
