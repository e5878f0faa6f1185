//! Command line and file, put together.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::config::args::ServeArgs;
use gateway::config::{Component, Settings};
use gateway::telemetry::logging::LogLevel;
use runtime::{BuiltIn, RuleLimits};

use crate::scratch;

/// A file with this text, in a folder of this name.
fn file(name: &str, text: &str) -> PathBuf {
    let path = scratch::folder(name).join("gateway.toml");
    fs::write(&path, text).expect("the folder is the test's");
    path
}

pub fn read(args: ServeArgs) -> Settings {
    Settings::from_args(&args).unwrap_or_else(|error| panic!("{error}"))
}

/// Only a file that says this.
pub fn from_file(name: &str, text: &str) -> ServeArgs {
    ServeArgs {
        config: Some(file(name, text)),
        ..ServeArgs::default()
    }
}

fn origins(settings: &Settings) -> Vec<&str> {
    let homeservers = settings.upstreams.homeservers.iter();
    homeservers
        .map(|homeserver| homeserver.origin().as_str())
        .collect()
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("it is an address")
}

#[test]
fn without_anything_the_defaults_stand() {
    let settings = read(ServeArgs::default());
    assert_eq!(settings.listen, address("[::]:5683"));
    assert!(settings.listen_by_default);
    assert_eq!(settings.log_level, LogLevel::Info);
    assert_eq!(origins(&settings), ["http://localhost:8008/"]);
    let [rule] = settings.rules.as_slice() else {
        panic!("there is the default rule")
    };
    assert_eq!(rule.name, "comatrix");
    assert_eq!(rule.component, Component::BuiltIn(BuiltIn::Comatrix));
    assert!(rule.mount.is_empty() && rule.settings.is_empty());
    assert_eq!(rule.limits, RuleLimits::trusted());
    assert!(settings.disabled.is_empty());
    assert!(settings.upstreams.others.is_none() && !settings.has_token);
    let limits = &settings.limits;
    assert_eq!(limits.serve.coap.request_body, 128 << 10);
    assert_eq!(limits.upstream.response, 1 << 20);
    assert_eq!((limits.rule.state, limits.rule.steps), (16 << 10, 6));
    assert_eq!(limits.rule.call_time, Duration::from_millis(20));
    assert_eq!(limits.rule.memory, 2 << 20);
    assert_eq!(limits.exchange, Duration::from_secs(10));
    assert_eq!(
        (limits.upstream.in_flight, limits.upstream.queued),
        (512, 1024)
    );
    let peers = &settings.upstreams.token_peers;
    let is_peer = |text: &str| {
        let address: std::net::IpAddr = text.parse().expect("it is an address");
        peers
            .networks
            .iter()
            .any(|network| network.contains(&address))
    };
    for near in ["127.0.0.1", "169.254.1.1", "::1", "fe80::1", "fd00::1"] {
        assert!(is_peer(near), "{near}");
    }
    for far in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::", "ff02::1"] {
        assert!(!is_peer(far), "{far}");
    }
}

const FULL: &str = r##"
ip = "127.0.0.1"
port = 7000
log_level = "debug"
allow_any_homeserver = true
cache_dir = "cache"
ca_file = "ca.pem"
access_token_file = "token"
token_peers = ["192.0.2.0/24", "2001:db8::7"]
disabled_resources = ["register", "/logout"]

[[homeserver]]
url = "https://one.example"

[[homeserver]]
url = "http://two.example:8008/"
name = "two"
client_api = "auto"
access_token_file = "two/token"

[rooms]
kitchen = "!r:one.example"
hall = "#hall:one.example"

[[rule]]
name = "comatrix"
component = "rules/mine.wasm"
config = { errors = "legacy", count = 7, on = true }

[limits]
request_body = 2048
homeserver_answer = 4096
rule_state = 0
rule_steps = 9
rule_call_ms = 50
rule_memory = 131072
exchange_seconds = 30
drain_seconds = 0
calls_per_homeserver = 3
calls_queued_per_homeserver = 4
exchanges = 5
exchanges_per_peer = 6
observations = 7
observations_per_peer = 8
observation_refresh_seconds = 900
non_confirmable_notifications = true
polls = 9
datagrams_per_second_per_peer = 70
unproven_bytes = 200

[coap]
names = ["gateway.example"]
block_size = 256
ack_delay = "2s"
ack_delay_max = "8s"
leisure = "500ms"
echo = true
"##;

/// The file that sets everything, with the files of its tokens, and their folder.
pub fn full(name: &str) -> (ServeArgs, PathBuf) {
    let args = from_file(name, FULL);
    let folder = args
        .config
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned);
    let folder = folder.expect("the file has one");
    fs::create_dir(folder.join("two")).expect("the folder is the test's");
    fs::write(folder.join("token"), "SECRET-one\n").expect("the folder is the test's");
    fs::write(folder.join("two/token"), "Bearer SECRET-two").expect("the folder is the test's");
    (args, folder)
}

#[test]
fn every_setting_of_a_file_arrives_and_its_paths_are_relative_to_it() {
    let (args, folder) = full("configuration-full");
    let settings = read(args);
    assert_eq!(settings.listen, address("127.0.0.1:7000"));
    assert!(!settings.listen_by_default);
    assert_eq!(settings.log_level, LogLevel::Debug);
    assert_eq!(settings.cache_dir, Some(folder.join("cache")));
    assert_eq!(
        settings.rules[0].component.file(),
        Some(&*folder.join("rules/mine.wasm"))
    );
    assert_eq!(settings.disabled, ["register", "logout"]);
    assert_eq!(
        origins(&settings),
        ["https://one.example/", "http://two.example:8008/"]
    );
    let upstreams = &settings.upstreams;
    assert!(upstreams.others.is_some() && settings.has_token);
    assert_eq!(upstreams.ca_file, Some(folder.join("ca.pem")));
    assert!(
        upstreams
            .homeservers
            .iter()
            .all(|homeserver| homeserver.token().is_some())
    );
    let peers: Vec<String> = upstreams
        .token_peers
        .networks
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(peers, ["192.0.2.0/24", "2001:db8::7/128"]);
    let limits = &settings.limits;
    assert_eq!(
        (limits.serve.coap.request_body, limits.serve.coap.exchanges),
        (2048, 5)
    );
    assert_eq!(limits.serve.coap.exchanges_per_peer, 6);
    assert_eq!(
        (
            limits.serve.coap.observations,
            limits.serve.coap.observations_per_peer
        ),
        (7, 8)
    );
    assert!(limits.serve.coap.non_confirmable_notifications);
    let observation = limits.serve.observation;
    assert_eq!(
        (observation.polls, observation.refresh),
        (9, Duration::from_secs(900))
    );
    assert_eq!(limits.serve.coap.datagrams_per_second_per_peer, 70);
    assert_eq!(limits.serve.coap.unproven_bytes, 200);
    assert_eq!(
        (
            limits.serve.coap.first_block_exponent,
            limits.serve.coap.ack_delay,
            limits.serve.coap.ack_delay_max,
            limits.serve.coap.leisure,
            limits.serve.coap.echo
        ),
        (
            4,
            Duration::from_secs(2),
            Duration::from_secs(8),
            Duration::from_millis(500),
            true
        )
    );
    assert_eq!(settings.coap.names, ["gateway.example"]);
    assert_eq!(settings.coap.multicast, None);
    assert_eq!(
        (limits.rule.state, limits.rule.steps, limits.rule.memory),
        (0, 9, 131_072)
    );
    assert_eq!(limits.rule.call_time, Duration::from_millis(50));
    assert_eq!(
        (limits.exchange, limits.serve.drain),
        (Duration::from_secs(30), Duration::ZERO)
    );
    let upstream = upstreams.limits;
    assert_eq!(
        (upstream.in_flight, upstream.queued, upstream.response),
        (3, 4, 4096)
    );
}

#[test]
fn groups_are_joined_on_all_interfaces_or_on_those_that_are_named() {
    let joined = |name, text| read(from_file(name, text)).coap.multicast;
    let all = joined("configuration-groups", "[coap]\nmulticast = true");
    assert_eq!(all, Some(vec![]));
    let named = "[coap]\nmulticast = true\nmulticast_interfaces = [\"lowpan0\"]";
    let named = joined("configuration-interfaces", named);
    assert_eq!(named, Some(vec!["lowpan0".to_owned()]));
}

#[test]
fn rooms_and_the_rules_own_settings_reach_the_rule_as_text() {
    let settings = read(full("configuration-rooms").0).rules.remove(0).settings;
    let expected = [
        ("count", "7"),
        ("errors", "legacy"),
        ("on", "true"),
        ("room.hall", "#hall:one.example"),
        ("room.kitchen", "!r:one.example"),
    ];
    assert!(
        settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .eq(expected),
        "{settings:?}"
    );
}

#[test]
fn the_command_line_stands_before_the_file() {
    let (mut args, folder) = full("configuration-merged");
    let token = folder.join("token");
    args = ServeArgs {
        ip: Some("::1".into()),
        port: Some(0),
        homeserver: vec!["http://three.example".into()],
        access_token_file: Some(token),
        ca_file: Some("other.pem".into()),
        rule: vec!["comatrix=other.wasm".into()],
        cache_dir: Some("other".into()),
        log_level: Some(LogLevel::Error),
        ..args
    };
    let settings = read(args);
    assert_eq!(settings.listen, address("[::1]:0"));
    assert_eq!(settings.log_level, LogLevel::Error);
    assert_eq!(origins(&settings), ["http://three.example/"]);
    assert!(settings.has_token);
    // From the command line, so relative to the working directory.
    assert_eq!(
        settings.upstreams.ca_file.as_deref(),
        Some(Path::new("other.pem"))
    );
    assert_eq!(
        settings.rules[0].component.file(),
        Some(Path::new("other.wasm"))
    );
    assert_eq!(settings.cache_dir.as_deref(), Some(Path::new("other")));
    // A setting that only the file has stays.
    assert!(settings.upstreams.others.is_some());
    assert_eq!(
        settings.rules[0].settings.get("errors").map(String::as_str),
        Some("legacy")
    );
    assert_eq!(settings.limits.rule.steps, 9);
}

#[test]
fn one_address_of_two_families_is_one_setting_each() {
    for (text, expected) in [
        ("ip = \"0.0.0.0\"", "0.0.0.0:5683"),
        ("port = 1", "[::]:1"),
        ("ip = \"fe80::1%1\"", "[fe80::1%1]:5683"),
    ] {
        let settings = read(from_file("configuration-listen", text));
        assert_eq!(settings.listen, address(expected), "{text}");
    }
}
