//! Ends of deliveries that the disk has not taken. The device can ask for them, and the next record that is stored
//! takes them with it: after a restart, only the oldest of a lane can have been attempted.

use std::cell::RefCell;
use std::collections::BTreeMap;

use outbox::RecordNumber;
use store::database::{Batch, Space};

/// Bytes of the rows: those of a thousand lanes whose last message was sent. Beyond it, a lane waits for the disk.
const MOST_BYTES: usize = 256 << 10;

/// Rows of records that have ended and were the last of their lanes.
#[derive(Default)]
pub(super) struct Unrecorded(RefCell<BTreeMap<RecordNumber, Vec<u8>>>);

impl Unrecorded {
    /// Keeps a row until the disk takes it. Returns whether there is room.
    pub(super) fn add(&self, number: RecordNumber, row: &[u8]) -> bool {
        let mut rows = self.0.borrow_mut();
        let held: usize = rows.values().map(Vec::len).sum();
        let has_room = held + row.len() <= MOST_BYTES;
        if has_room {
            rows.insert(number, row.to_vec());
        }
        has_room
    }

    /// The row of a record, if the disk has not taken it.
    pub(super) fn row(&self, number: RecordNumber) -> Option<Vec<u8>> {
        self.0.borrow().get(&number).cloned()
    }

    /// Adds all to a batch. When it is committed, pass their numbers to [`Self::leave`].
    pub(super) fn add_to(&self, batch: &mut Batch) -> Vec<RecordNumber> {
        let rows = self.0.borrow();
        for (number, row) in &*rows {
            record(batch, *number, row.clone());
        }
        rows.keys().copied().collect()
    }

    /// The disk has taken them, or they are forgotten.
    pub(super) fn leave(&self, numbers: &[RecordNumber]) {
        let mut rows = self.0.borrow_mut();
        for number in numbers {
            rows.remove(number);
        }
    }
}

/// A record that has ended takes the place of the one that waited.
pub(super) fn record(batch: &mut Batch, number: RecordNumber, row: Vec<u8>) {
    batch.delete(Space::Waiting, number);
    batch.put(Space::Ended, number, row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_until_the_disk_has_taken_them() {
        let unrecorded = Unrecorded::default();
        let mut batch = Batch::new();
        assert!(unrecorded.add_to(&mut batch).is_empty());
        assert!(batch.is_empty());
        assert!(unrecorded.add(7, b"seven") && unrecorded.add(9, b"nine"));
        let numbers = unrecorded.add_to(&mut batch);
        assert_eq!(numbers, [7, 9]);
        assert!(unrecorded.add(11, b"eleven"), "while those are committed");
        unrecorded.leave(&numbers);
        assert_eq!(unrecorded.row(7), None);
        assert_eq!(unrecorded.row(11), Some(b"eleven".to_vec()));
    }

    #[test]
    fn beyond_its_bytes_a_lane_has_to_wait() {
        let unrecorded = Unrecorded::default();
        let row = [0; 1 << 10];
        assert!((0..256).all(|number| unrecorded.add(number, &row)));
        assert!(!unrecorded.add(256, &row));
        unrecorded.leave(&[3]);
        assert!(unrecorded.add(256, &row));
    }
}
