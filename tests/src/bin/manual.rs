//! Part of `cargo xtask dist`: writes the manual pages and the shells' completions into a folder.

#![allow(clippy::print_stderr)] // It speaks to the person at the terminal.

use std::path::Path;
use std::process::ExitCode;

use comatrix_tests::manual;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: manual FOLDER");
        return ExitCode::from(2);
    };
    match manual::write(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manual: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
