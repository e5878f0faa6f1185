//! The service of OpenWrt, tried on another system: `tests/clients/openwrt.sh` stands in for its shell functions and
//! procd.

use std::path::PathBuf;
use std::process::Command;

use clap::{CommandFactory, Parser};
use comatrix_host::cli::Cli;
use comatrix_tests::places::{self, Scratch};

fn packaging(name: &str) -> PathBuf {
    let folder = places::workspace().join("host/packaging/openwrt");
    folder.join(name)
}

/// The script's output for an action, with this configuration.
fn script(uci: &str, action: &str) -> String {
    let scratch = Scratch::new("openwrt");
    let output = Command::new("sh")
        .arg(places::client_program("openwrt.sh"))
        .arg(packaging("comatrix.init"))
        .arg(scratch.write("comatrix", uci))
        .arg(action)
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{said}{error}");
    said
}

/// A command line as a shell reads it.
fn words(line: &str) -> Vec<String> {
    let print = format!("printf '%s\\n' {line}");
    let output = Command::new("sh").args(["-c", &print]).output();
    let output = output.expect("there is a shell");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.lines().map(str::to_owned).collect()
}

/// A section with every option that the gateway has; the names are the command line's.
fn everything() -> (String, usize) {
    let command = Cli::command();
    let options = command.get_arguments().filter_map(|argument| {
        let name = argument.get_long()?;
        let is_switch = !argument.get_action().takes_values();
        let is_list = matches!(argument.get_action(), clap::ArgAction::Append);
        let value = match name {
            "port" => "5684",
            "log-level" => "warn",
            "coaps" => "off",
            _ if is_switch => "1",
            _ => "it's a 'value' $HOME",
        };
        let kind = if is_list { "list" } else { "option" };
        let quoted = value.replace('\'', r"'\''");
        Some(format!("\t{kind} {} '{quoted}'\n", name.replace('-', "_")))
    });
    let options: Vec<String> = options.collect();
    let section = format!(
        "config gateway 'main'\n\toption enabled '1'\n{}",
        options.concat()
    );
    (section, options.len())
}

#[test]
fn every_option_of_the_command_line_can_be_set_and_arrives_as_it_was_written() {
    let (section, count) = everything();
    let line = script(&section, "dry_run");
    let words = words(&line);
    let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let options = words.iter().filter(|word| word.starts_with("--")).count();
    assert_eq!(
        (options, words[0].as_str()),
        (count, "/usr/bin/comatrix-gateway"),
        "{line}"
    );
    assert_eq!(cli.serve.port, Some(5684));
    assert!(cli.serve.allow_any_homeserver);
    assert_eq!(cli.serve.homeserver, ["it's a 'value' $HOME"]);
    // The same words go to procd.
    let called = script(&section, "start_service");
    let appended = called
        .lines()
        .filter_map(|line| line.strip_prefix("procd_append_param [command] "));
    let appended: String = appended.collect::<Vec<_>>().join(" ");
    let expected: Vec<String> = words[1..].iter().map(|word| format!("[{word}]")).collect();
    assert_eq!(appended, expected.join(" "));
}

#[test]
fn the_configuration_that_is_installed_starts_nothing_and_starts_a_gateway_once_it_is_enabled() {
    let installed = std::fs::read_to_string(packaging("comatrix.config")).expect("it is there");
    let said = script(&installed, "dry_run");
    assert_eq!(said, "# section main is not enabled\n");
    assert!(!script(&installed, "start_service").contains("procd_open_instance"));
    let enabled = installed.replace("enabled '0'", "enabled '1'");
    let line = script(&enabled, "dry_run");
    let words = words(&line);
    assert_eq!(words[1..], ["--homeserver", "https://matrix.example.org"]);
    // The options that are commented out there are right as well.
    let all = enabled.replace("#\t", "\t");
    let line = script(&all, "dry_run");
    let words = self::words(&line);
    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(
        line.contains("'--config' '/etc/comatrix/gateway.toml'"),
        "{line}"
    );
}

#[test]
fn procd_runs_it_as_a_user_of_its_own_with_folders_of_its_own_and_starts_it_again() {
    let (section, _) = everything();
    let called = script(&section, "start_service");
    // Its state folder is set, as every option.
    for part in [
        "chown [comatrix:comatrix] [/var/run/comatrix]",
        "chown [comatrix:comatrix] [/var/cache/comatrix]",
        "chown [comatrix:comatrix] [it's a 'value' $HOME]",
        "procd_set_param [user] [comatrix]",
        "procd_set_param [env] [RUNTIME_DIRECTORY=/var/run/comatrix] [CACHE_DIRECTORY=/var/cache/comatrix] \
         [STATE_DIRECTORY=it's a 'value' $HOME]",
        "procd_set_param [respawn] [3600] [5] [0]",
        "procd_set_param [no_new_privs] [1]",
        "procd_set_param [reload_signal] [HUP]",
    ] {
        assert!(
            called.lines().any(|line| line == part),
            "{part:?} is not in {called}"
        );
    }
}

#[test]
fn two_gateways_have_folders_of_their_own() {
    let section = |name: &str| format!("config gateway '{name}'\n\toption enabled '1'\n");
    let called = script(
        &[section("main"), section("attic")].concat(),
        "start_service",
    );
    for part in [
        "procd_set_param [env] [RUNTIME_DIRECTORY=/var/run/comatrix] [CACHE_DIRECTORY=/var/cache/comatrix] \
         [STATE_DIRECTORY=/etc/comatrix/state]",
        "procd_set_param [env] [RUNTIME_DIRECTORY=/var/run/comatrix-attic] [CACHE_DIRECTORY=/var/cache/comatrix-attic] \
         [STATE_DIRECTORY=/etc/comatrix/state-attic]",
    ] {
        assert!(
            called.lines().any(|line| line == part),
            "{part:?} is not in {called}"
        );
    }
}
