//! kill -9 of a process in the midst of its commits.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use comatrix_store::database::{Batch, Database, Space};

use crate::scratch::{all, no_folder, open};

/// Names the folder to the child.
const FOLDER: &str = "COMATRIX_STORE_KILLED";

#[test]
fn a_process_that_is_killed_loses_no_batch_that_it_has_committed() {
    let folder = no_folder("killed");
    let mut least = 0;
    for round in 0..20 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "killed::commits_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // At another moment of its work each time.
        std::thread::sleep(Duration::from_millis(20 + round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let written = lines.by_ref().map_while(Result::ok);
        let committed = written.filter_map(|line| line.strip_prefix("committed ")?.parse().ok());
        least = committed.fold(least, u64::max);

        let opened = open(&folder).unwrap();
        assert_eq!(opened.set_aside, None);
        let found = all(&opened.records, Space::Waiting);
        let pairs = |keys: &mut dyn Iterator<Item = u64>| keys.collect::<Vec<_>>();
        let keys = pairs(&mut found.iter().map(|(key, _)| *key));
        assert_eq!(
            keys,
            pairs(&mut (0..keys.len() as u64)),
            "nothing is missing between"
        );
        assert_eq!(
            keys.len() % 2,
            0,
            "each batch is there with both records or none"
        );
        assert!(keys.len() as u64 >= least, "{} of {least}", keys.len());
    }
    assert!(least > 100, "{least} records: too few to say anything");
}

#[test]
#[ignore = "the child of the test above"]
fn commits_until_it_is_killed() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("the test above sets it"));
    let records = open(&folder).unwrap().records;
    let mut key = all(&records, Space::Waiting).len() as u64;
    let database = Database::start(records).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    loop {
        let mut batch = Batch::new();
        batch.put(Space::Waiting, key, vec![1; 400]);
        batch.put(Space::Waiting, key + 1, vec![2; 400]);
        key += 2;
        runtime.block_on(database.commit(batch)).unwrap();
        writeln!(std::io::stdout(), "committed {key}").unwrap();
    }
}
