//! `cargo xtask bench [-- [--quick] WORD…]`: measures the gateway and prints one Markdown table.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its result is a table on the terminal"
)]

#[path = "../bench/mod.rs"]
mod bench;

use std::fs::read_to_string;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::thread::available_parallelism;

use bench::plan::{Plan, Role};
use bench::process::Gateway;
use bench::rows::GROUPS;
use bench::{Failure, echo, report, soak, stub_homeserver};

const HELP: &str = "\
Usage: bench [--quick] [WORD...]

Measures the gateway beside its baselines and prints a Markdown table. A WORD selects the groups of rows
whose names contain it. `--quick` measures for a shorter time: to compare, not to quote.
COMATRIX_GATEWAY names another binary than the one beside this program.";

fn main() -> ExitCode {
    let outcome = match Role::parse(std::env::args().skip(1)) {
        Ok(Role::Help) => {
            println!("{HELP}\n\nGroups of rows:\n  {}", names().join("\n  "));
            Ok(())
        }
        Ok(Role::Measure(plan)) => measure(&plan),
        Ok(Role::Soak(minutes, outages)) => {
            soak::run(minutes, outages, |table| println!("{table}"))
        }
        Ok(Role::EchoServer) => echo::serve(),
        Ok(Role::StubHomeserver(delay, port)) => stub_homeserver::serve(delay, port),
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the selected groups. A group that cannot be measured does not keep the others from their rows.
fn measure(plan: &Plan) -> Result<(), Failure> {
    let gateway = Gateway::find()?;
    let machine = machine(&gateway);
    let selected = || GROUPS.iter().filter(|(name, _)| plan.selects(name));
    if selected().next().is_none() {
        return Err(format!("no row matches; there are:\n  {}", names().join("\n  ")).into());
    }
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for (name, measure) in selected() {
        eprintln!("measuring {name}");
        // The homeserver's harness panics where a part is missing; its message names the part to install.
        let outcome = catch_unwind(AssertUnwindSafe(|| measure(plan, &gateway)));
        match outcome.unwrap_or_else(|_| Err("it panicked, as said above".into())) {
            Ok(measured) => {
                eprintln!("{}", report::table(&measured));
                rows.extend(measured);
            }
            Err(failure) => failures.push(format!("{name}: {failure}")),
        }
    }
    println!("{machine}\n\n{}", report::table(&rows));
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

fn names() -> Vec<&'static str> {
    GROUPS.iter().map(|(name, _)| *name).collect()
}

/// The machine that the figures were taken on.
fn machine(gateway: &Gateway) -> String {
    let cores = available_parallelism().map_or(0, |cores| cores.get());
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("unknown processor");
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let date = Command::new("date")
        .args(["-u", "+%Y-%m-%d %H:%M UTC"])
        .output()
        .map(|output| output.stdout);
    format!(
        "{cores} cores ({}), Linux {}, {}, load average {} before; gateway `{}`",
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim(),
        String::from_utf8_lossy(&date.unwrap_or_default()).trim(),
        load.split(' ').next().unwrap_or_default(),
        gateway
            .binary()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy(),
    )
}
