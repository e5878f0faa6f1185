//! `kills [COUNT [SEED]]`: kills the gateway so many times, 200 unless it is said, while Synapse comes and goes.

#![allow(
    clippy::print_stdout,
    reason = "a table on the terminal is what it makes"
)]

use std::process::ExitCode;
use std::time::Duration;

use comatrix_tests::kills::{Plan, run};

/// A run of 200 kills takes ten minutes.
const HOUR: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let mut next = |standard| numbers.next().map_or(Ok(standard), |number| number);
    let (Ok(kills), Ok(seed)) = (next(200), next(1)) else {
        println!("usage: kills [COUNT [SEED]]");
        return ExitCode::from(2);
    };
    let report = run(&Plan {
        kills: kills as usize,
        time: HOUR,
        seed,
    });
    println!("{}", report.table());
    let problems = report.problems();
    for problem in &problems {
        println!("{problem}");
    }
    ExitCode::from(u8::from(!problems.is_empty()))
}
