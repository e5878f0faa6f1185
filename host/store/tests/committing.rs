//! Commits and reads through the thread.

use std::future::Future;

use comatrix_store::database::{Batch, Database, Durability, ReadError, Space, WriteError};

use crate::scratch::{all, no_folder, open};

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn start(name: &str) -> Database {
    Database::start(open(&no_folder(name)).unwrap().records).unwrap()
}

fn put(key: u64, value: Vec<u8>) -> Batch {
    let mut batch = Batch::new();
    batch.put(Space::Waiting, key, value);
    batch
}

#[test]
fn commits_that_come_together_share_their_transactions() {
    let database = start("together");
    let commits: Vec<_> = (0..64)
        .map(|key| database.commit(put(key, vec![7; 400])))
        .collect();
    run(async {
        for commit in commits {
            commit.await.unwrap();
        }
    });
    assert!(
        database.transactions() < 32,
        "{} transactions",
        database.transactions()
    );
    for key in 0..64 {
        let value = run(database.read(Space::Waiting, key)).unwrap();
        assert_eq!(value, Some(vec![7; 400]));
    }
}

#[test]
fn a_batch_is_applied_in_its_order_and_also_if_nobody_waits_for_it() {
    let database = start("in-order");
    let mut batch = put(1, b"first".to_vec());
    batch.put(Space::Waiting, 1, b"second".to_vec());
    batch.put(Space::Waiting, 2, b"gone".to_vec());
    batch.delete(Space::Waiting, 2);
    batch.delete(Space::Waiting, 3);
    drop(database.commit(batch));
    // A read waits for none that is queued; a later commit does.
    assert_eq!(run(database.commit(put(4, Vec::new()))), Ok(()));
    assert_eq!(
        run(database.read(Space::Waiting, 1)),
        Ok(Some(b"second".to_vec()))
    );
    assert_eq!(run(database.read(Space::Waiting, 2)), Ok(None));
}

#[test]
fn a_closed_database_has_applied_what_was_queued_and_its_folder_can_be_opened_again() {
    let folder = no_folder("closed");
    let database = Database::start(open(&folder).unwrap().records).unwrap();
    let other = database.clone();
    let unsynced = database.commit_unsynced(put(1, b"one".to_vec()));
    let synced = database.commit(put(2, b"two".to_vec()));
    run(database.close());
    assert_eq!((run(unsynced), run(synced)), (Ok(()), Ok(())));
    assert_eq!(
        run(other.commit(put(3, Vec::new()))),
        Err(WriteError::Closed)
    );
    assert_eq!(run(other.read(Space::Waiting, 1)), Err(ReadError::Closed));
    let records = open(&folder).unwrap().records;
    let both = [(1, b"one".to_vec()), (2, b"two".to_vec())];
    assert_eq!(all(&records, Space::Waiting), both);
    run(other.close());
}

#[test]
fn the_thread_ends_with_its_last_handle_after_it_has_applied_what_was_queued() {
    let folder = no_folder("dropped");
    let database = Database::start(open(&folder).unwrap().records).unwrap();
    let commit = database.commit(put(1, b"one".to_vec()));
    drop(database);
    assert_eq!(run(commit), Ok(()));
    let reopened = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        open(&folder).ok()
    });
    let records = reopened
        .expect("the folder is unlocked within two seconds")
        .records;
    assert_eq!(all(&records, Space::Waiting), [(1, b"one".to_vec())]);
}

#[test]
fn more_than_the_queue_holds_is_busy_and_what_was_queued_is_applied() {
    let database = start("busy");
    // Larger than the log's limit each: the thread is slower than this loop.
    let commits: Vec<_> = (0..40)
        .map(|key| database.commit(put(key, vec![1; 512 << 10])))
        .collect();
    let outcomes: Vec<_> = run(async {
        let mut outcomes = Vec::new();
        for commit in commits {
            outcomes.push(commit.await);
        }
        outcomes
    });
    assert!(outcomes.contains(&Err(WriteError::Busy)), "{outcomes:?}");
    for (key, outcome) in (0..).zip(&outcomes) {
        let is_there = run(database.read(Space::Waiting, key)).unwrap().is_some();
        assert_eq!(is_there, outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(
        run(database.commit(put(50, vec![1; 8 << 20]))),
        Ok(()),
        "alone, whatever its size"
    );
}

#[test]
fn no_text_of_a_batch_has_a_value() {
    let batch = put(1, b"syt_secret".to_vec());
    let shown = format!("{batch:?}");
    assert!(
        !shown.contains("syt_secret") && !shown.contains("115"),
        "{shown}"
    );
}

#[test]
fn a_deleted_value_is_in_no_file_of_the_folder_once_its_log_has_begun_anew() {
    let folder = no_folder("overwritten");
    let mut records = open(&folder).unwrap().records;
    let secret = b"syt_an_access_token_of_a_device";
    for round in 0..3 {
        let mut batch = Batch::new();
        for key in 0..2_000 {
            let value = [secret.as_slice(), &[round; 300]].concat();
            batch.put(Space::Waiting, key, value);
        }
        records.apply([&batch], Durability::PowerCut).unwrap();
        records.shorten_log();
    }
    let mut batch = Batch::new();
    (0..2_000).for_each(|key| batch.delete(Space::Waiting, key));
    records.apply([&batch], Durability::PowerCut).unwrap();
    drop(records);
    let content = std::fs::read(folder.join("state.db")).unwrap();
    assert!(content.len() > 600_000);
    assert!(!content.windows(secret.len()).any(|part| part == secret));
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        1,
        "the log is gone"
    );
}
