//! The notifications to a service manager, and its folder for compiled rules.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;
use std::time::{Duration, Instant};

use coap::code;
use rustix::process::Signal;

use super::{Device, Manager, NOWHERE, Running};
use crate::exchange::request;
use crate::rule_text::RuleText;

#[test]
fn the_manager_hears_of_readiness_of_a_reload_and_of_the_end() {
    let manager = Manager::new("manager-hears");
    let gateway = Running::start(&mut manager.gateway(NOWHERE));
    let address = manager.hear_ready();
    let device = Device::new(address);
    device.say(request(code::GET, "time"));
    assert_eq!(device.response_code(), code::CONTENT);

    let now = || {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
    };
    let before = now();
    gateway.signal(Signal::HUP);
    let said = manager.hear();
    let since = said.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    let since: i64 = since
        .and_then(|since| since.trim_end().parse().ok())
        .unwrap_or_else(|| panic!("{said}"));
    assert!((before..=now()).contains(&since), "{since}");
    let ready = format!("READY=1\nSTATUS=listening on coap://{address}\n");
    assert_eq!(manager.hear(), ready);

    gateway.signal(Signal::TERM);
    let said = manager.hear();
    assert_eq!(
        said,
        "STOPPING=1\nSTATUS=stopping: 0 requests have 12 s to end\n"
    );
    let (status, log) = gateway.end();
    assert_eq!(status, Some(0), "{log}");
}

#[test]
fn the_manager_hears_why_a_gateway_does_not_start() {
    let manager = Manager::new("manager-failed");
    let mut command = manager.gateway(NOWHERE);
    let gateway = Running::start(command.args(["--config", "nothing.toml"]));
    let said = manager.hear();
    assert!(
        said.starts_with("STATUS=cannot read the configuration file"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(gateway.end().0, Some(2));
}

#[test]
fn a_manager_that_hears_nothing_keeps_nobody_from_being_served() {
    let manager = Manager::new("manager-deaf");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let device = Device::new(socket.local_addr().expect("it is bound"));
    let mut command = manager.gateway_with(&socket, NOWHERE);
    let gateway = Running::start(
        command
            .env("NOTIFY_SOCKET", "/nowhere")
            .env("WATCHDOG_USEC", "20000"),
    );
    device.say(request(code::GET, "time"));
    assert_eq!(device.response_code(), code::CONTENT);
    thread::sleep(Duration::from_millis(100));
    gateway.signal(Signal::TERM);
    let (status, log) = gateway.end();
    assert_eq!(status, Some(0), "{log}");
    // Of readiness, of the end, and once of the many signs of life in between.
    assert_eq!(
        log.matches("cannot notify the service manager").count(),
        3,
        "{log}"
    );
}

#[test]
fn signs_of_life_come_from_the_loop_that_serves_and_stop_while_it_is_stuck() {
    let manager = Manager::new("manager-watchdog");
    let mut endless = RuleText::new();
    endless.begin = "(loop $again (br $again)) unreachable".into();
    fs::write(manager.folder.join("a.wasm"), endless.component()).expect("it is the test's");
    let configuration = "[[rule]]\nname = \"a\"\ncomponent = \"a.wasm\"\n\
        allow = [\"GET none standard /needed\"]\n[rule.limits]\ncall_ms = 700\ncpu_percent = 100\n";
    fs::write(manager.folder.join("gateway.toml"), configuration).expect("it is the test's");
    let mut command = manager.gateway(NOWHERE);
    let _gateway = Running::start(
        command
            .args(["--config", "gateway.toml"])
            .env("WATCHDOG_USEC", "200000"),
    );
    let device = Device::new(manager.hear_ready());
    let pause = || {
        let since = Instant::now();
        assert_eq!(manager.hear(), "WATCHDOG=1\n");
        since.elapsed()
    };
    pause();
    let alive = [pause(), pause(), pause()];
    device.say(request(code::GET, "a/test"));
    let stuck = [pause(), pause(), pause()];
    // The call has 0.7 s of CPU time, which takes longer where others compute too; the interval is a tenth of a second.
    let longest = stuck.into_iter().max().unwrap_or_default();
    assert!(longest > Duration::from_millis(600), "{alive:?} {stuck:?}");
    let shortest = alive.into_iter().min().unwrap_or_default();
    assert!(shortest < longest, "{alive:?} {stuck:?}");
}

#[test]
fn compiled_rules_are_kept_in_systemds_folder_though_a_link_leads_there() {
    // With DynamicUser=, /var/cache/comatrix is a link to /var/cache/private/comatrix.
    let manager = Manager::new("manager-cache");
    let private = manager.folder.join("private");
    fs::create_dir(&private).expect("the folder is the test's");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).expect("it is the test's");
    symlink("private", manager.folder.join("cache")).expect("the folder is the test's");
    let gateway = Running::start(&mut manager.gateway(NOWHERE));
    manager.hear_ready();
    gateway.signal(Signal::TERM);
    let (_, log) = gateway.end();
    let kept = fs::read_dir(&private).expect("it is there").count();
    assert!(kept > 0, "{log}");
}
