//! A disk that is full, and one that does not synchronise.

use comatrix_store::database::{Batch, Durability, Records, Space, WriteError};
use comatrix_store::simulation::Disk;

use crate::scratch::all;

fn put(key: u64, length: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put(Space::Waiting, key, vec![7; length]);
    batch
}

fn commit(records: &mut Records, batch: &Batch) -> Result<(), WriteError> {
    records.apply([batch], Durability::PowerCut)
}

fn keys(records: &Records) -> Vec<u64> {
    let all = all(records, Space::Waiting).into_iter();
    all.map(|(key, _)| key).collect()
}

#[test]
fn on_a_full_disk_no_part_of_a_batch_is_applied_and_with_room_again_the_next_one_is() {
    let disk = Disk::new();
    let mut records = disk.open().unwrap();
    disk.limit(Some(60_000));
    let mut accepted = Vec::new();
    let refused = loop {
        let key = accepted.len() as u64;
        match commit(&mut records, &put(key, 2_000)) {
            Ok(()) => accepted.push(key),
            Err(error) => break error,
        }
        records.shorten_log();
        assert!(key < 60, "the limit counts");
    };
    assert!(matches!(refused, WriteError::Full { .. }), "{refused}");
    assert!(accepted.len() > 5, "{accepted:?}");
    assert_eq!(keys(&records), accepted);
    assert_eq!(
        records.read(Space::Waiting, 0).unwrap().unwrap().len(),
        2_000
    );

    disk.limit(None);
    let next = accepted.len() as u64;
    commit(&mut records, &put(next, 2_000)).unwrap();
    accepted.push(next);
    disk.restart(1);
    drop(records);
    assert_eq!(keys(&disk.open().unwrap()), accepted);
}

#[test]
fn a_full_disk_opens_and_what_is_deleted_makes_room() {
    let disk = Disk::new();
    let mut records = disk.open().unwrap();
    let mut many = Batch::new();
    (0..100).for_each(|key| many.put(Space::Waiting, key, vec![7; 400]));
    commit(&mut records, &many).unwrap();
    disk.end_process();
    drop(records);

    // Not a byte more than there is: the log cannot be written back.
    disk.limit(Some(0));
    let records = disk.open().unwrap();
    assert_eq!(keys(&records).len(), 100);
    drop(records);
    disk.limit(None);
    let mut records = disk.open().unwrap();
    let mut all = Batch::new();
    (0..100).for_each(|key| all.delete(Space::Waiting, key));
    commit(&mut records, &all).unwrap();
    records.shorten_log();
    // The deletions have left a log and free pages: as much fits into them.
    disk.limit(Some(0));
    for key in 100..150 {
        commit(&mut records, &put(key, 400)).unwrap();
        records.shorten_log();
    }
    assert_eq!(keys(&records), (100..150).collect::<Vec<_>>());
}

#[test]
fn a_batch_whose_synchronisation_failed_is_refused_and_what_follows_is_durable() {
    for seed in 0..50 {
        let disk = Disk::new();
        let mut records = disk.open().unwrap();
        commit(&mut records, &put(1, 400)).unwrap();
        disk.fail_syncs(1);
        let refused = commit(&mut records, &put(2, 400)).unwrap_err();
        assert!(matches!(refused, WriteError::Disk { .. }), "{refused}");
        assert_eq!(keys(&records), [1]);
        commit(&mut records, &put(3, 400)).unwrap();
        assert_eq!(keys(&records), [1, 3]);
        disk.restart(seed);
        drop(records);
        assert_eq!(keys(&disk.open().unwrap()), [1, 3], "seed {seed}");
    }
}

#[test]
fn a_batch_whose_synchronisation_failed_is_not_there_when_the_process_has_ended() {
    let disk = Disk::new();
    let mut records = disk.open().unwrap();
    commit(&mut records, &put(1, 400)).unwrap();
    disk.fail_syncs(1);
    commit(&mut records, &put(2, 4_000)).unwrap_err();
    disk.end_process();
    drop(records);
    assert_eq!(keys(&disk.open().unwrap()), [1]);
}
