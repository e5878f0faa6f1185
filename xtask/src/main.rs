//! `cargo xtask COMMAND`: everything a developer does, in one word each.

// These commands speak to the person at the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod apt;
mod both_toolchains;
mod dist;
mod dist_test;
mod fuzz;
mod routers;
mod run;
mod setup;
mod venv;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use run::{CommandError, announce, cargo, run};
use xtask::guest;

const HELP: &str = "\
Developer commands of CoMatrix.

Usage: cargo xtask COMMAND [ARGUMENTS]

  setup          Install what is missing: the target for rules, Node.js, Synapse and aiocoap, libcoap's client,
                 shellcheck and systemd
  guest          Build every rule into target/guest/<name>.wasm
  demo [--once]  Start Synapse and the gateway and walk a device through every resource;
                 --once ends after that instead of staying up
  test [ARGS]    Run every test, end to end included, and build the rules with both toolchains;
                 ARGS go to `cargo test`
  bench [ARGS]   Measure speed and memory, print a table; ARGS go to the benchmark
  soak [--minutes N]
                 500 devices on a lossy network in front of Synapse: nothing lost, memory flat
  fuzz [TARGET] [--seconds N]
                 Make seeds from the tests' cases and run cargo-fuzz
  dist [--test]  Make what is installed on a router: the Debian package and static binaries; --test tries each of them

`cargo xtask COMMAND --help` tells more. Every command does its own set-up and is quick when nothing has changed.";

const HELP_SETUP: &str = "\
Usage: cargo xtask setup

Installs what is missing, and nothing twice:
  - the target wasm32-unknown-unknown: by rustup, or where that fails Debian's rustc-web, cargo-web and
    rust-web-src; COMATRIX_GUEST_TOOLCHAIN=rustup|debian asks for one of them
  - Node.js and npm, for the rule in JavaScript: Debian's nodejs and npm
  - a Python virtual environment in target/venv with tests/requirements.txt (Synapse, aiocoap)
  - libcoap's client: Debian's libcoap3-bin
  - what checks the files of the packages: Debian's shellcheck and systemd

Packages of Debian are installed with apt-get, as root or through sudo.";

const HELP_GUEST: &str = "\
Usage: cargo xtask guest

Builds every rule into target/guest/<name>.wasm and prints the sizes.
COMATRIX_GUEST_TOOLCHAIN=rustup|debian forces one toolchain; unset, rustup's target is used if it is installed.";

const HELP_DEMO: &str = "\
Usage: cargo xtask demo [--once]

Sets up, starts Synapse on SQLite (under target/demo) and the gateway, both on this machine only, and walks a
device through register, login, join, send, getmsg, time and logout over UDP. Then it stays up with lines to copy
for coap-client and aiocoap-client, until Ctrl-C.

  --once  end after the walk instead, with status 0 if every step went well and 1 otherwise";

const HELP_TEST: &str = "\
Usage: cargo xtask test [ARGS]

Sets up, then runs `cargo test --workspace --locked ARGS`: unit tests, property tests and the end-to-end tests
against Synapse, aiocoap and libcoap. Without ARGS it also builds the rules with rustup's and Debian's
toolchain, if that has not been done for the same sources.
RUST_TEST_THREADS is 8 unless set: most end-to-end tests wait.";

const HELP_BENCH: &str = "\
Usage: cargo xtask bench [ARGS]

Sets up, then runs the benchmark in release mode and prints its table. `cargo xtask bench -- --help` lists ARGS.";

const HELP_SOAK: &str = "\
Usage: cargo xtask soak [--minutes N]

Sets up, then runs 500 devices with mixed traffic and 10 % loss each way against Synapse, for 10 minutes or N, in release
mode, and prints a table. Status 1 where a message was lost or there twice, a request had another end than an answer of
class 2 or being given up, or the gateway's memory grew by more than 10 % and 2 MiB after the first minute.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(XtaskError::Usage(text)) => {
            eprintln!("{text}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("\nxtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum XtaskError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Setup(#[from] setup::SetupError),
    #[error(transparent)]
    Guest(#[from] guest::GuestError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Dist(#[from] dist::DistError),
}

fn dispatch(arguments: &[String]) -> Result<(), XtaskError> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(XtaskError::Usage(HELP.to_owned()));
    };
    let asks_help = rest
        .first()
        .is_some_and(|first| first == "--help" || first == "-h");
    let workspace = workspace();
    match (command.as_str(), asks_help) {
        ("--help" | "-h" | "help", _) => println!("{HELP}"),
        ("setup", true) => println!("{HELP_SETUP}"),
        ("guest", true) => println!("{HELP_GUEST}"),
        ("demo", true) => println!("{HELP_DEMO}"),
        ("test", true) => println!("{HELP_TEST}"),
        ("bench", true) => println!("{HELP_BENCH}"),
        ("setup", false) => {
            accept_only(command, rest, &[])?;
            setup::everything(&workspace)?;
        }
        ("guest", false) => {
            accept_only(command, rest, &[])?;
            guests(&workspace)?;
        }
        ("demo", false) => {
            accept_only(command, rest, &["--once"])?;
            demo(&workspace, rest)?;
        }
        ("test", false) => test(&workspace, rest)?,
        ("bench", false) => bench(&workspace, rest)?,
        ("soak", true) => println!("{HELP_SOAK}"),
        ("soak", false) => soak(&workspace, rest)?,
        ("dist", true) => println!("{}", dist::HELP),
        ("dist", false) => {
            accept_only(command, rest, &["--test"])?;
            let package = dist::make(&workspace)?;
            if !rest.is_empty() {
                guests(&workspace)?;
                dist::test(&workspace, &package)?;
            }
        }
        ("fuzz", true) => println!("{}", fuzz::HELP),
        ("fuzz", false) => fuzz::fuzz(&workspace, rest)?,
        (unknown, _) => {
            return Err(XtaskError::Usage(format!(
                "there is no command {unknown:?}\n\n{HELP}"
            )));
        }
    }
    Ok(())
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn accept_only(command: &str, arguments: &[String], known: &[&str]) -> Result<(), XtaskError> {
    match arguments
        .iter()
        .find(|argument| !known.contains(&argument.as_str()))
    {
        None => Ok(()),
        Some(unknown) => Err(XtaskError::Usage(format!(
            "`cargo xtask {command}` does not know {unknown:?}; see `cargo xtask {command} --help`"
        ))),
    }
}

fn guests(workspace: &Path) -> Result<(), XtaskError> {
    setup::guest_target()?;
    setup::node()?;
    for rule in guest::RULES {
        announce(&format!("building the rule {}", rule.name));
        let file = guest::build(rule.name, workspace, &workspace.join("target/guest"))?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        println!("{}  {bytes} bytes", file.display());
    }
    Ok(())
}

fn demo(workspace: &Path, arguments: &[String]) -> Result<(), XtaskError> {
    setup::everything(workspace)?;
    build_all(workspace)?;
    run(built(workspace, "debug", "demo").args(arguments))?;
    Ok(())
}

/// A program that was just built. `cargo run` with its package alone would select other features of the dependencies and
/// compile them all once more.
fn built(workspace: &Path, profile: &str, program: &str) -> Command {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let mut command = Command::new(target.join(profile).join(program));
    command.current_dir(workspace);
    command
}

/// With the whole workspace selected, as `cargo test` has it, so that dependencies are built once for both.
fn build_all(workspace: &Path) -> Result<(), CommandError> {
    announce("building the gateway and what drives it (some minutes the first time)");
    run(cargo(workspace).args(["build", "--locked", "--workspace", "--bins"]))
}

fn test(workspace: &Path, arguments: &[String]) -> Result<(), XtaskError> {
    setup::everything(workspace)?;
    guests(workspace)?;
    build_all(workspace)?;
    announce("running the tests");
    let mut tests = cargo(workspace);
    if env::var_os("RUST_TEST_THREADS").is_none() {
        tests.env("RUST_TEST_THREADS", "8");
    }
    run(tests
        .args(["test", "--workspace", "--locked"])
        .args(arguments))?;
    if arguments.is_empty() {
        both_toolchains::check(workspace)?;
    }
    Ok(())
}

fn soak(workspace: &Path, arguments: &[String]) -> Result<(), XtaskError> {
    let minutes = match arguments {
        [] => "10",
        [option, minutes] if option == "--minutes" => minutes,
        _ => {
            return Err(XtaskError::Usage(
                "`cargo xtask soak` takes --minutes N and nothing else".to_owned(),
            ));
        }
    };
    bench(workspace, &["--soak".to_owned(), minutes.to_owned()])
}

fn bench(workspace: &Path, arguments: &[String]) -> Result<(), XtaskError> {
    setup::everything(workspace)?;
    guests(workspace)?;
    announce(
        "building the gateway and the benchmark in release mode (some minutes the first time)",
    );
    let mut build: Command = cargo(workspace);
    run(build.args([
        "build",
        "--release",
        "--locked",
        "--bins",
        "-p",
        "comatrix-host",
        "-p",
        "comatrix-tests",
    ]))?;
    let arguments = arguments.iter().skip_while(|argument| *argument == "--");
    run(built(workspace, "release", "bench").args(arguments))?;
    Ok(())
}
