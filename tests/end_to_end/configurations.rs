//! Configurations that cannot work: a folder per case in `configurations/`.
//!
//! `arguments.txt` has an argument a line (`HERE` is the case's folder), `says.txt` the words of the message,
//! a line each.

use std::fs;
use std::path::Path;
use std::time::Duration;

use comatrix_tests::gateway;
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::supervised::Supervised;

/// A gateway that took the configuration would run on.
const LIMIT: Duration = Duration::from_secs(30);

fn lines(file: &Path) -> Vec<String> {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(str::to_owned).collect()
}

/// The faults of the gateway's reaction; empty if it is right.
fn faults(case: &Path) -> Vec<String> {
    let scratch = Scratch::new("configuration");
    let here = case.display().to_string();
    let mut arguments: Vec<String> = lines(&case.join("arguments.txt"))
        .iter()
        .map(|line| line.replace("HERE", &here))
        .collect();
    // An option that a case omits must not be the fault.
    for (option, alternative, value) in [("-p", "--config", "0"), ("-i", "--config", "127.0.0.1")] {
        if !arguments
            .iter()
            .any(|argument| argument == option || argument == alternative)
        {
            arguments.extend([option.to_owned(), value.to_owned()]);
        }
    }
    arguments.extend([
        "--cache-dir".to_owned(),
        gateway::cache_folder().display().to_string(),
    ]);
    let log = scratch.path().join("log");
    let mut process = Supervised::start(&gateway::binary(), &arguments, scratch.path(), &log);
    let status = process.wait(LIMIT);
    let said = fs::read_to_string(&log).unwrap_or_default();
    let mut faults = Vec::new();
    if status != Some(2) {
        faults.push(format!("the exit status is {status:?} instead of 2"));
    }
    if let Some(line) = process
        .next_line(Duration::from_millis(1))
        .filter(|line| line.contains("listening"))
    {
        faults.push(format!("it printed {line:?}"));
    }
    for word in lines(&case.join("says.txt")) {
        let word = word.replace("HERE", &here);
        if !said.contains(&word) {
            faults.push(format!("{word:?} is not in its output: {said}"));
        }
    }
    for unwanted in ["SECRET", "panicked"] {
        if said.contains(unwanted) {
            faults.push(format!("{unwanted} is in its output: {said}"));
        }
    }
    faults
}

#[test]
fn every_configuration_that_cannot_work_ends_with_status_2_and_a_remedy() {
    let folder = places::workspace().join("tests/end_to_end/configurations");
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .expect("the cases are there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    cases.sort();
    assert!(cases.len() > 25, "only {} cases were found", cases.len());
    let name = |case: &Path| {
        case.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let wrong: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            faults(case)
                .into_iter()
                .map(move |fault| format!("{}: {fault}", name(case)))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_port_that_is_taken_ends_the_gateway_with_its_number_and_a_remedy() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let cache = gateway::cache_folder();
    let output = gateway::run(&[
        "-i",
        "127.0.0.1",
        "-p",
        &port,
        "--cache-dir",
        &cache.display().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&port), "{said}");
}
