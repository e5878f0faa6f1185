//! `cargo xtask COMMAND`: the commands of a developer.

// These commands print to a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod apt;
mod autotools;
mod both_toolchains;
mod cargo_tool;
mod dist;
mod dist_test;
mod fuzz;
mod help;
mod library;
mod oscore_client;
mod routers;
mod run;
#[cfg(test)]
mod scratch;
mod setup;
mod tool;
mod tool_check;
mod tool_error;
mod tools;
mod venv;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use run::{CommandError, announce, cargo, run};
use setup::Setup;
use xtask::guest;

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
        return Err(XtaskError::Usage(help::COMMANDS.to_owned()));
    };
    if rest
        .first()
        .is_some_and(|first| first == "--help" || first == "-h")
    {
        println!("{}", help_of(command)?);
        return Ok(());
    }
    let workspace = workspace();
    let mut setup = Setup::new();
    match command.as_str() {
        "--help" | "-h" | "help" => println!("{}", help::COMMANDS),
        "setup" => {
            accept_only(command, rest, &[])?;
            setup.everything(&workspace)?;
            // Who only builds the gateway can do without.
            if let Err(error) = setup.peers(&workspace) {
                announce(&format!("NOT COMPLETE for `cargo xtask test`: {error}"));
            }
        }
        "guest" => {
            accept_only(command, rest, &["--both-toolchains"])?;
            match rest.is_empty() {
                true => guests(&workspace, &mut setup)?,
                false => both_toolchains::check(&workspace, &mut setup)?,
            }
        }
        "demo" => {
            accept_only(command, rest, &["--once"])?;
            demo(&workspace, &mut setup, rest)?;
        }
        "test" => test(&workspace, &mut setup, rest)?,
        "bench" => bench(&workspace, &mut setup, rest)?,
        "soak" => soak(&workspace, &mut setup, rest)?,
        "abuse" => abuse(&workspace, &mut setup, rest)?,
        "dist" => {
            accept_only(command, rest, &["--test"])?;
            let package = dist::make(&workspace, &mut setup)?;
            if !rest.is_empty() {
                guests(&workspace, &mut setup)?;
                dist::test(&workspace, &package, &mut setup)?;
            }
        }
        "fuzz" => fuzz::fuzz(&workspace, rest)?,
        unknown => return Err(unknown_command(unknown)),
    }
    Ok(())
}

fn help_of(command: &str) -> Result<String, XtaskError> {
    let text = match command {
        "setup" => return Ok(help::setup()),
        "--help" | "-h" | "help" => help::COMMANDS,
        "guest" => help::GUEST,
        "demo" => help::DEMO,
        "test" => help::TEST,
        "bench" => help::BENCH,
        "soak" => help::SOAK,
        "abuse" => help::ABUSE,
        "dist" => dist::HELP,
        "fuzz" => fuzz::HELP,
        unknown => return Err(unknown_command(unknown)),
    };
    Ok(text.to_owned())
}

fn unknown_command(command: &str) -> XtaskError {
    XtaskError::Usage(format!(
        "there is no command {command:?}\n\n{}",
        help::COMMANDS
    ))
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn accept_only(command: &str, arguments: &[String], accepted: &[&str]) -> Result<(), XtaskError> {
    match arguments
        .iter()
        .find(|argument| !accepted.contains(&argument.as_str()))
    {
        None => Ok(()),
        Some(unknown) => Err(XtaskError::Usage(format!(
            "`cargo xtask {command}` has no option {unknown:?}; see `cargo xtask {command} --help`"
        ))),
    }
}

fn guests(workspace: &Path, setup: &mut Setup) -> Result<(), XtaskError> {
    setup.guest_target()?;
    setup.node()?;
    for rule in guest::RULES {
        announce(&format!("building the rule {}", rule.name));
        let file = guest::build(rule.name, workspace, &workspace.join("target/guest"))?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        println!("{}  {bytes} bytes", file.display());
    }
    Ok(())
}

fn demo(workspace: &Path, setup: &mut Setup, arguments: &[String]) -> Result<(), XtaskError> {
    setup.everything(workspace)?;
    build_all(workspace)?;
    run(built(workspace, "debug", "demo").args(arguments))?;
    Ok(())
}

/// A program that has been built. `cargo run` with its package alone would select other features of the dependencies
/// and compile them all again.
fn built(workspace: &Path, profile: &str, program: &str) -> Command {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let mut command = Command::new(target.join(profile).join(program));
    command.current_dir(workspace);
    command
}

/// Builds the whole workspace, as `cargo test` does, so that dependencies are built once for both.
fn build_all(workspace: &Path) -> Result<(), CommandError> {
    announce("building the gateway and the programs of the tests (some minutes the first time)");
    run(cargo(workspace).args(["build", "--locked", "--workspace", "--bins"]))
}

fn test(workspace: &Path, setup: &mut Setup, arguments: &[String]) -> Result<(), XtaskError> {
    setup.everything(workspace)?;
    setup.peers(workspace)?;
    guests(workspace, setup)?;
    build_all(workspace)?;
    announce("running the tests");
    let mut tests = cargo(workspace);
    if env::var_os("RUST_TEST_THREADS").is_none() {
        tests.env("RUST_TEST_THREADS", "8");
    }
    run(tests
        .args(["test", "--workspace", "--locked"])
        .args(arguments))?;
    Ok(())
}

fn soak(workspace: &Path, setup: &mut Setup, arguments: &[String]) -> Result<(), XtaskError> {
    let (minutes, outages) = match arguments {
        [option, minutes, outages @ ..] if option == "--minutes" => (minutes.as_str(), outages),
        outages => ("10", outages),
    };
    let is_option = |word: &String| ["--away", "--piece"].contains(&word.as_str());
    if !outages.iter().step_by(2).all(is_option) {
        return Err(XtaskError::Usage(help::SOAK.to_owned()));
    }
    let soak = ["--soak".to_owned(), minutes.to_owned()];
    bench(workspace, setup, &[&soak, outages].concat())
}

fn abuse(workspace: &Path, setup: &mut Setup, arguments: &[String]) -> Result<(), XtaskError> {
    build_release(workspace, setup)?;
    let gateway = workspace.join("target/release/comatrix-gateway");
    let mut abuse = built(workspace, "release", "abuse");
    run(abuse.args(arguments).env("COMATRIX_GATEWAY", gateway))?;
    Ok(())
}

fn bench(workspace: &Path, setup: &mut Setup, arguments: &[String]) -> Result<(), XtaskError> {
    build_release(workspace, setup)?;
    let arguments = arguments.iter().skip_while(|argument| *argument == "--");
    run(built(workspace, "release", "bench").args(arguments))?;
    Ok(())
}

fn build_release(workspace: &Path, setup: &mut Setup) -> Result<(), XtaskError> {
    setup.everything(workspace)?;
    guests(workspace, setup)?;
    announce("building the gateway and its loads in release mode (some minutes the first time)");
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
    Ok(())
}
