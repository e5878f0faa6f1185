//! `cargo xtask fuzz`: seeds from the tests' cases, then cargo-fuzz, target by target.

use std::path::Path;
use std::process::Command;

use crate::XtaskError;
use crate::cargo_tool;
use crate::run::{announce, cargo, run};

/// The version of cargo-fuzz that has been tried.
const CARGO_FUZZ: &str = "0.13.2";

/// The targets of `tests/fuzz`.
const TARGETS: [&str; 7] = [
    "endpoint",
    "sequence",
    "dtls",
    "oscore",
    "edhoc",
    "cbor_json",
    "proxy_uri",
];

/// Enough to show that a target works; a thorough run is `--seconds 1200`.
const SECONDS: &str = "60";

/// The text of `--help`.
pub const HELP: &str = "\
Usage: cargo xtask fuzz [TARGET] [--seconds N]

Makes seeds from the tests' cases and runs the fuzz targets of tests/fuzz, each for 60 s or N: endpoint (datagrams,
time and responses), sequence (requests of several hosts that belong together), dtls (datagrams of strangers around a
handshake), oscore (protected requests), edhoc (handshakes and credentials), cbor_json (payloads), proxy_uri; or only
TARGET. Status 1 if an input fails; that input is then in target/fuzz/artifacts. cargo-fuzz is installed into
target/fuzz/tools. RUSTC_BOOTSTRAP=1 allows its instrumentation on a stable toolchain. No sanitizer is used, since the
fuzzed crates deny `unsafe`.";

/// Runs the command with these arguments.
pub fn fuzz(workspace: &Path, arguments: &[String]) -> Result<(), XtaskError> {
    let (targets, seconds) = parse(arguments).map_err(XtaskError::Usage)?;
    let folder = workspace.join("target/fuzz");
    let program = cargo_tool::install(workspace, &folder.join("tools"), "cargo-fuzz", CARGO_FUZZ)?;
    announce("making seeds");
    let mut seeds = cargo(workspace);
    seeds.args(["run", "--quiet", "--locked", "--example", "seeds"]);
    seeds.args(["--manifest-path", "tests/fuzz/Cargo.toml", "--target-dir"]);
    run(seeds
        .arg(folder.join("build"))
        .arg("--")
        .arg(folder.join("seeds")))?;
    for target in targets {
        announce(&format!("fuzzing {target} for {seconds} s"));
        run(&mut one(workspace, &program, &folder, target, &seconds))?;
    }
    Ok(())
}

fn one(workspace: &Path, program: &Path, folder: &Path, target: &str, seconds: &str) -> Command {
    // New inputs go into the first folder, the seeds are only read.
    let (corpus, artifacts) = (
        folder.join("corpus").join(target),
        folder.join("artifacts").join(target),
    );
    for folder in [&corpus, &artifacts] {
        // If it cannot be made, libFuzzer reports it.
        let _ = std::fs::create_dir_all(folder);
    }
    let mut command = Command::new(program);
    command
        .current_dir(workspace)
        .env("RUSTC_BOOTSTRAP", "1")
        .args([
            "run",
            "--fuzz-dir",
            "tests/fuzz",
            "--sanitizer",
            "none",
            "--target-dir",
        ])
        .arg(folder.join("build"))
        .arg(target)
        .arg(&corpus)
        .arg(folder.join("seeds").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        // A datagram's worth of steps; libFuzzer's own default is 4 KiB.
        .args(["-max_len=16384", "-timeout=10", "-print_final_stats=1"]);
    command
}

fn parse(arguments: &[String]) -> Result<(Vec<&'static str>, String), String> {
    let mut targets = TARGETS.to_vec();
    let mut seconds = SECONDS.to_owned();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let number = arguments
                .next()
                .filter(|number| number.parse::<u32>().is_ok());
            seconds = number.ok_or("--seconds takes a number")?.clone();
        } else if let Some(target) = TARGETS.iter().find(|target| *target == argument) {
            targets = vec![target];
        } else {
            return Err(format!(
                "there is no fuzz target {argument:?}; take one of {}",
                TARGETS.join(", ")
            ));
        }
    }
    Ok((targets, seconds))
}
