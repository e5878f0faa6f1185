//! The texts of `--help`; those of `dist` and `fuzz` stand beside their commands.

use crate::autotools::{AUTOTOOLS, PYTHON_HEADERS};
use crate::library::LIBCOAP;
use crate::tool::Tool;
use crate::tools::{EVERYWHERE, NPM};

/// Of `cargo xtask`.
pub const COMMANDS: &str = "\
Developer commands of CoMatrix.

Usage: cargo xtask COMMAND [ARGUMENTS]

  setup          Check the programs that the other commands need, and install those that are missing
  guest [--both-toolchains]
                 Build every rule into target/guest/<name>.wasm
  demo [--once]  Start Synapse and the gateway and walk a device through every resource;
                 --once ends after that instead of staying up
  test [ARGS]    Run every test, end to end included; ARGS go to `cargo test`
  bench [ARGS]   Measure speed and memory, print a table; ARGS go to the benchmark
  soak [--minutes N] [--away PERCENT]
                 500 devices on a lossy network in front of Synapse: no message is lost, memory stays flat
  abuse [WORD...]
                 One hostile host beside honest devices, an attack after the other, and a table
  fuzz [TARGET] [--seconds N]
                 Make seeds from the tests' cases and run cargo-fuzz
  dist [--test]  Build the Debian package and the static binaries for routers; --test tests each of them

`cargo xtask COMMAND --help` prints more. Every command does its own set-up and is quick if nothing has changed.";

const SETUP: &str = "\
Usage: cargo xtask setup

Checks the programs that the other commands need, and installs those that are missing or too old:
  - the target wasm32-unknown-unknown: by rustup, or if that fails Debian's rustc-web, cargo-web and
    rust-web-src; COMATRIX_GUEST_TOOLCHAIN=rustup|debian selects one of them
  - a Python virtual environment in target/venv with tests/requirements.txt (Synapse, aiocoap)
  - for tests, libcoap's client with OSCORE: this system's own, or that of Debian 13 in target/libcoap-oscore,
    unpacked from the mirror that this Debian is configured with; nothing of it is installed
  - these programs, each with the oldest version that works and its Debian package:
";

const SETUP_END: &str = "
Debian packages are installed with apt-get, as root or through sudo. The first installation of a run refreshes the
package lists. A program that is too old and does not come from a Debian package is reported and left alone.";

/// Of `cargo xtask setup`.
pub fn setup() -> String {
    let tools = EVERYWHERE.into_iter().chain([&NPM]).chain(AUTOTOOLS);
    let lines: Vec<String> = tools.map(line).collect();
    let library = format!(
        "  - the header {} for the compiler `cc`: {}\n  - the headers of Python: {PYTHON_HEADERS}",
        LIBCOAP.header, LIBCOAP.package
    );
    format!("{SETUP}\n{}\n{library}\n{SETUP_END}", lines.join("\n"))
}

fn line(tool: &Tool) -> String {
    let minimum = tool.minimum_version().to_string();
    format!("      {:<24} {minimum:<8} {}", tool.name(), tool.package)
}

/// Of `cargo xtask guest`.
pub const GUEST: &str = "\
Usage: cargo xtask guest [--both-toolchains]

Builds every rule into target/guest/<name>.wasm and prints the sizes.
COMATRIX_GUEST_TOOLCHAIN=rustup|debian selects one toolchain; unset, rustup's target is used if it is installed.

  --both-toolchains  instead build every rule in Rust with rustup's and with Debian's toolchain, and install
                     whichever is missing; does nothing if both have built the same sources before";

/// Of `cargo xtask demo`.
pub const DEMO: &str = "\
Usage: cargo xtask demo [--once]

Sets up, starts Synapse on SQLite (under target/demo) and the gateway, both on this machine only, and walks a
device through register, login, join, send, getmsg, time and logout over UDP. Then it stays up with lines to copy
for coap-client and aiocoap-client, until Ctrl-C.

  --once  end after the walk instead, with status 0 if every step succeeded and 1 otherwise";

/// Of `cargo xtask test`.
pub const TEST: &str = "\
Usage: cargo xtask test [ARGS]

Sets up, builds the rules, then runs `cargo test --workspace --locked ARGS`: unit tests, property tests and the
end-to-end tests against Synapse, aiocoap and libcoap.
RUST_TEST_THREADS is 8 unless set: most end-to-end tests wait.";

/// Of `cargo xtask bench`.
pub const BENCH: &str = "\
Usage: cargo xtask bench [ARGS]

Sets up, then runs the benchmark in release mode and prints its table. `cargo xtask bench -- --help` lists ARGS.";

/// Of `cargo xtask soak`.
pub const SOAK: &str = "\
Usage: cargo xtask soak [--minutes N] [--away PERCENT [--piece SECONDS]]

Sets up, then runs 500 devices with mixed traffic and 10 % loss each way against Synapse, for 10 minutes or N, in
release mode, and prints a table. Status 1 if a message was lost or delivered twice, if a request ended neither with a
response of class 2 nor by its device giving up, or if the gateway's memory grew by more than 10 % and 2 MiB after the
first minute. With --away Synapse is stopped for so much of the time, in pieces of 12 seconds or SECONDS; then reads may
fail meanwhile, and messages must not.";

/// Of `cargo xtask abuse`.
pub const ABUSE: &str = "\
Usage: cargo xtask abuse [WORD...]

Sets up, then runs each attack of one hostile host against the gateway in release mode, with honest devices beside it:
20 seconds each, at most 10,000 datagrams and 6 MB per second, on the loopback network. Prints a table: latencies of
the honest devices, requests that failed, messages that were lost or doubled, memory, and the bytes that a forged
address gets. A WORD selects the attacks whose names contain it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_of_setup_lists_every_tool_with_its_minimum_and_its_package() {
        let help = setup();
        let has = |words: [&str; 3]| help.lines().any(|line| line.split_whitespace().eq(words));
        assert!(
            has(["node", "18", "nodejs"]) && has(["chromedriver", "103", "chromium-driver"]),
            "{help}"
        );
    }
}
