//! Datagrams of devices with their default settings, a case per file in `datagrams/`. `comatrix_tests::datagrams` has
//! the language of the files.

use std::fs;
use std::thread;

use comatrix_tests::datagrams::replay::replay;
use comatrix_tests::places;

/// Cases that run at the same time: each has a gateway, and most wait.
const AT_ONCE: usize = 6;

#[test]
fn every_case_of_datagrams_gets_what_its_file_says() {
    // `COMATRIX_CASE=burst` runs those with this in their name.
    let wanted = std::env::var("COMATRIX_CASE").unwrap_or_default();
    let folder = places::workspace().join("tests/end_to_end/datagrams");
    let mut cases: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the cases are there")
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path()).expect("a case is readable");
            (name, text)
        })
        .filter(|(name, _)| name.contains(&wanted))
        .collect();
    assert!(!cases.is_empty(), "no case has {wanted} in its name");
    cases.sort();
    let mut wrong = Vec::new();
    for cases in cases.chunks(AT_ONCE) {
        let results = thread::scope(|scope| {
            let runs: Vec<_> = cases
                .iter()
                .map(|(_, text)| scope.spawn(move || replay(text)))
                .collect();
            let ends = runs.into_iter().map(|run| match run.join() {
                Ok(result) => result,
                Err(_) => Err("the case panicked; its message stands above".to_owned()),
            });
            ends.collect::<Vec<_>>()
        });
        let faults = cases.iter().zip(results);
        wrong.extend(faults.filter_map(|((name, _), result)| {
            result.err().map(|error| format!("{name}, {error}"))
        }));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
