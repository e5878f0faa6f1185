//! The device commands from the command line to the bytes on the wire, and back to the output.

mod output;
mod request_bytes;

use std::ffi::OsString;

use clap::Parser;

use super::args::DeviceCommand;
use super::plan::Plan;
use super::{DeviceArgs, UsageError};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    device: DeviceArgs,
}

/// The plan of a command line with single spaces between its words. `secrets`: the environment has the password `pw`
/// and the token `tok`.
fn plan(line: &str, secrets: bool) -> Result<Plan, UsageError> {
    let words = std::iter::once("device").chain(line.split(' '));
    let args = CommandLine::try_parse_from(words)
        .unwrap_or_else(|error| panic!("{line}: {error}"))
        .device;
    let environment = |name: &str| {
        let value = match name {
            "COMATRIX_PASSWORD" => "pw",
            "COMATRIX_TOKEN" => "tok",
            _ => return None,
        };
        secrets.then(|| OsString::from(value))
    };
    let DeviceCommand::Exchange(command) = args.command else {
        panic!("{line} is no exchange")
    };
    Plan::new(command, &args.exchange, &environment)
}

#[test]
fn command_lines_that_make_no_sense_are_refused_by_the_parser() {
    for line in [
        "login",
        "join",
        "join !a:b --room !c:d",
        "getmsg",
        "time --repeat 0",
        "time surplus",
        "send a b c",
        "join !a:b --full",
        "logout --all",
    ] {
        let words = std::iter::once("device").chain(line.split(' '));
        let error = CommandLine::try_parse_from(words)
            .err()
            .unwrap_or_else(|| panic!("{line} was accepted"));
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn values_out_of_their_bounds_are_refused_with_the_bounds() {
    for (line, reason) in [
        ("time --timeout 0", "0.1 to 3600"),
        ("time --timeout NaN", "0.1 to 3600"),
        ("time --interval -1", "0 to 86400"),
        ("time --block-size 100", "16, 32"),
        ("time --gateway localhost", "coap://"),
        ("send !r:h", "text is missing"),
        ("send", "--room is missing"),
        ("send --room !r:h a b", "unexpected word"),
        ("join !r:h --homeserver matrix.org", "--homeserver"),
    ] {
        let line = line.replace("--interval -1", "--interval=-1");
        let error = plan(&line, true).expect_err(&line).to_string();
        assert!(error.contains(reason), "{line}: {error}");
    }
    assert!(matches!(
        plan("login --user ann", false),
        Err(UsageError::NoPassword)
    ));
}

#[test]
fn rooms_that_cannot_be_a_path_segment_are_refused() {
    let long = "r".repeat(256);
    for room in ["", ".", "..", &long, "a\u{7}"] {
        for options in ["", " --homeserver http://h"] {
            let plan = plan(&format!("join --room={room}{options}"), true).expect("a plan");
            assert!(
                matches!(
                    plan.request.message("t"),
                    Err(UsageError::PathSegment { .. })
                ),
                "{room}"
            );
        }
    }
}

#[test]
fn help_has_every_exit_code_and_the_sources_of_secrets() {
    let help = CommandLine::try_parse_from(["device", "--help"])
        .err()
        .expect("help")
        .to_string();
    for part in [
        "\n  0  ",
        "\n  2  ",
        "\n  4  ",
        "\n  5  ",
        "\n  6  ",
        "\n  7  ",
        "COMATRIX_PASSWORD",
        "COMATRIX_TOKEN",
    ] {
        assert!(help.contains(part), "{part:?} is missing in\n{help}");
    }
}
