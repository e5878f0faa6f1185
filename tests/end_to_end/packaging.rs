//! The contents of the packages, checked with systemd's own tools and against the gateway.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ::gateway::config::Settings;
use ::gateway::config::args::ServeArgs;
use clap::CommandFactory;
use coap_lite::RequestType;
use comatrix_host::cli::Cli;
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::manual;
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::raw::{Raw, confirmable};
use comatrix_tests::supervised::Supervised;

/// The first start compiles the rule; tests share two cores.
const PATIENCE: Duration = Duration::from_secs(60);

fn packaging(name: &str) -> PathBuf {
    places::workspace().join("host/packaging").join(name)
}

#[test]
fn the_unit_is_exposed_to_at_most_2_0_by_systemds_own_measure() {
    let output = Command::new(places::on_path(&["systemd-analyze"]))
        .args(["security", "--offline=true", "--no-pager", "--threshold=20"])
        .arg(packaging("systemd/comatrix-gateway.service"))
        .output()
        .expect("it was found on the path");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("Overall exposure level"),
        "{said}"
    );
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    let scratch = Scratch::new("units");
    for unit in ["comatrix-gateway.service", "comatrix-gateway.socket"] {
        let text = fs::read_to_string(packaging("systemd").join(unit)).expect("it is there");
        // It looks for the program too.
        let text = text.replace(
            "/usr/bin/comatrix-gateway",
            &gateway::binary().display().to_string(),
        );
        fs::write(scratch.path().join(unit), text).expect("the folder is the test's");
        let output = Command::new(places::on_path(&["systemd-analyze"]))
            .args(["verify", "--man=no"])
            .arg(scratch.path().join(unit))
            .output()
            .expect("it was found on the path");
        let said = String::from_utf8_lossy(&output.stderr);
        // Other units of this machine may be wanting.
        let faults: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("comatrix"))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn the_unit_leaves_time_for_the_drain_at_the_end() {
    let unit =
        fs::read_to_string(packaging("systemd/comatrix-gateway.service")).expect("it is there");
    let seconds = unit
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec="));
    let seconds: u64 = seconds
        .and_then(|seconds| seconds.trim_end_matches('s').parse().ok())
        .expect("it is a number of seconds");
    let settings = Settings::from_args(&ServeArgs::default());
    let settings = settings.unwrap_or_else(|error| panic!("{error}"));
    let drain = settings.limits.serve.drain;
    assert!(
        Duration::from_secs(seconds) > drain,
        "{seconds} s, {drain:?}"
    );
}

#[test]
fn the_configuration_that_is_installed_starts_a_gateway() {
    let configuration = packaging("gateway.toml").display().to_string();
    let gateway = Gateway::start(&["--config", &configuration]);
    let device = Raw::connect(gateway.address);
    let time = confirmable(RequestType::Get, "/time", 1, &[1]);
    device.send(&time.to_bytes().expect("it fits"));
    assert!(device.receive_message(PATIENCE).is_some());
}

#[test]
fn systemd_starts_the_gateway_with_the_first_datagram_and_that_gets_a_response() {
    let scratch = Scratch::new("activation");
    let log = scratch.path().join("gateway.log");
    // A free port: the next listener there is the test's own.
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = free.expect("the loopback address has a free port");
    let cache = gateway::cache_folder().display().to_string();
    let binary = gateway::binary().display().to_string();
    let _manager = Supervised::start(
        &places::on_path(&["systemd-socket-activate"]),
        &[
            "--datagram",
            "--listen",
            &address.to_string(),
            &binary,
            "--cache-dir",
            &cache,
            "--state-dir",
            "state",
        ],
        scratch.path(),
        &log,
    );
    let listens = || fs::read_to_string(&log).is_ok_and(|log| log.contains("Listening on"));
    let since = std::time::Instant::now();
    while !listens() {
        assert!(since.elapsed() < PATIENCE, "{:?}", fs::read_to_string(&log));
        std::thread::sleep(Duration::from_millis(20));
    }
    let device = Raw::connect(address);
    let time = confirmable(RequestType::Get, "/time", 1, &[1]);
    device.send(&time.to_bytes().expect("it fits"));
    let response = device
        .receive_message(PATIENCE)
        .expect("it was sent once and gets a response");
    assert_eq!(response.header.get_code(), "2.05");
    // A thread of its own writes the log: on a busy machine the response is there first.
    let served = || {
        let log = fs::read_to_string(&log);
        log.is_ok_and(|log| log.contains("listening on the service manager's socket"))
    };
    let since = std::time::Instant::now();
    while !served() {
        assert!(since.elapsed() < PATIENCE, "{:?}", fs::read_to_string(&log));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_manual_and_the_completions_name_every_option_of_every_command() {
    let scratch = Scratch::new("manual");
    manual::write(scratch.path()).expect("the folder is the test's");
    let read = |name: &str| {
        let path = scratch.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    // Each shell has its own way to say which option it is.
    type Spelled = fn(&str) -> String;
    let completions: [(&str, Spelled); 3] = [
        ("comatrix-gateway.bash", |long| format!(" --{long}")),
        ("_comatrix-gateway", |long| format!("--{long}")),
        ("comatrix-gateway.fish", |long| format!(" -l {long}")),
    ];
    let completions = completions.map(|(name, spelled)| (read(name), spelled));
    let mut left = vec![("comatrix-gateway".to_owned(), Cli::command())];
    let mut options = 0;
    while let Some((name, command)) = left.pop() {
        let page = read(&format!("{name}.1")).replace('\\', "");
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            options += 1;
            assert!(
                page.contains(&format!("--{long}")),
                "--{long} is not in {name}.1"
            );
            for (completion, spelled) in &completions {
                let spelled = spelled(long);
                let mut ends = completion
                    .match_indices(&spelled)
                    .map(|(at, _)| at + spelled.len());
                let is_whole =
                    |end| !completion[end..].starts_with(|c: char| c == '-' || c.is_alphanumeric());
                assert!(ends.any(is_whole), "{spelled:?} of {name}");
            }
        }
        for below in command
            .get_subcommands()
            .filter(|below| !below.is_hide_set())
        {
            assert!(
                page.contains(&format!("{name}-{}(1)", below.get_name())),
                "{name}.1"
            );
            left.push((format!("{name}-{}", below.get_name()), below.clone()));
        }
    }
    // `device`, `rules` and `rule` have theirs as well.
    assert!(options > 30, "{options}");
}

#[test]
fn shellcheck_finds_nothing_in_the_scripts() {
    let mut command = Command::new(places::on_path(&["shellcheck"]));
    for script in ["postinst", "prerm", "postrm"] {
        command.arg(packaging("debian").join(script));
    }
    let output = command
        .arg(packaging("openwrt/comatrix.init"))
        .arg(places::client_program("openwrt.sh"))
        .output()
        .expect("it was found on the path");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
