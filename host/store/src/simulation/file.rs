//! A file of the simulated disk: what programs see of it, and what is on the disk.

use super::dice::Dice;

/// The disk writes a sector wholly or not at all.
const SECTOR: usize = 512;

/// A change since the last synchronisation.
enum Unsynced {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// A file.
#[derive(Default)]
pub struct File {
    /// What programs read.
    current: Vec<u8>,
    /// What a power cut leaves in any case.
    durable: Vec<u8>,
    unsynced: Vec<Unsynced>,
    /// Whether a power cut leaves its name.
    pub has_durable_name: bool,
}

impl File {
    /// What programs read of it.
    pub fn content(&self) -> &[u8] {
        &self.current
    }

    /// Writes; a gap before it is zeros.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        write(&mut self.current, offset, bytes, 0);
        let bytes = bytes.to_owned();
        self.unsynced.push(Unsynced::Write { offset, bytes });
    }

    /// Cuts it, or adds zeros.
    pub fn truncate(&mut self, length: usize) {
        self.current.resize(length, 0);
        self.unsynced.push(Unsynced::Truncate { length });
    }

    /// Makes all of it durable, its name too.
    pub fn synchronise(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Unsynced::Write { offset, bytes } => write(&mut self.durable, offset, &bytes, 0),
                Unsynced::Truncate { length } => self.durable.resize(length, 0),
            }
        }
        self.has_durable_name = true;
    }

    /// A power cut: of the unsynced changes each sector is there or not, `quarters` of four of them.
    ///
    /// Where a sector is not, but a later one made the file longer, there is anything.
    pub fn lose(&mut self, dice: &mut Dice, quarters: u64) {
        let gap = if dice.quarters(1) { 0xa5 } else { 0 };
        for change in self.unsynced.drain(..) {
            match change {
                Unsynced::Truncate { length } => {
                    if dice.quarters(quarters) {
                        self.durable.resize(length, gap);
                    }
                }
                Unsynced::Write { offset, bytes } => {
                    for (offset, part) in sectors(offset, &bytes) {
                        if dice.quarters(quarters) {
                            write(&mut self.durable, offset, part, gap);
                        }
                    }
                }
            }
        }
        self.current.clone_from(&self.durable);
        self.has_durable_name = true;
    }
}

/// The parts of a write that are each within one sector.
fn sectors(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = (offset, bytes);
    std::iter::from_fn(move || {
        let (offset, bytes) = rest;
        let length = bytes.len().min(SECTOR - offset % SECTOR);
        let (part, after) = bytes.split_at(length);
        rest = (offset + length, after);
        (length > 0).then_some((offset, part))
    })
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8], gap: u8) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, gap);
    }
    content[offset..end].copy_from_slice(bytes);
}
