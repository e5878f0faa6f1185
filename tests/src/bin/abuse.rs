//! `cargo xtask abuse [WORD…]`: one hostile host against the gateway, beside honest devices.

#![allow(
    clippy::print_stdout,
    reason = "a table on the terminal is what it makes"
)]

use comatrix_tests::abuse::{ATTACKS, Pace, Report, run};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", Report::HEADING);
    let selected =
        |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    for attack in ATTACKS.iter().filter(|attack| selected(attack.name)) {
        let report = run(attack, Pace::FULL);
        println!("{}", report.row(Pace::FULL.duration));
        let failed = report.failed();
        if !failed.is_empty() {
            println!("    failed: {failed:?}");
        }
    }
}
