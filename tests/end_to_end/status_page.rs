//! The status page: the right to see it, its content for browsers and for a terminal, and whether the gateway is ready.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::Request;
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::page::Page;
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::{Value, json};

use crate::control_socket::as_another_user;
use crate::stage::send_to;

#[test]
fn every_response_forbids_a_browser_everything_that_the_page_does_not_need() {
    let (_gateway, page) = Page::start(&["--homeserver", "http://127.0.0.1:9"]);
    for path in [
        "/",
        "/live",
        "/status.json",
        "/metrics",
        "/readyz",
        "/nothing",
    ] {
        let response = page.get(path);
        let policy = response
            .header("content-security-policy")
            .unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert!(response.header("access-control-allow-origin").is_none());
    }
    let nonces: Vec<_> = (0..2)
        .map(|_| {
            page.get("/")
                .header("content-security-policy")
                .map(str::to_owned)
        })
        .collect();
    assert_ne!(nonces[0], nonces[1], "a nonce is for one page");
}

#[test]
fn endless_requests_are_cut_off_and_others_get_a_response() {
    let (_gateway, page) = Page::start(&["--homeserver", "http://127.0.0.1:9"]);
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(100_000));
    let many = "GET / HTTP/1.1\r\nHost: localhost\r\n".to_owned() + &"A: b\r\n".repeat(1000);
    for request in [long.as_str(), &many, "\0\0\0\0\r\n\r\n"] {
        let response = page.exchange(request);
        let is_refused = response.is_empty() || response.starts_with("HTTP/1.1 4");
        assert!(is_refused, "{response:?}");
    }
    // A head that never ends.
    let started = std::time::Instant::now();
    page.exchange("GET / HTTP/1.1\r\nHost: loc");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert_eq!(page.get("/healthz").body, "alive\n");
}

#[test]
fn it_is_ready_while_rules_serve_and_the_homeserver_is_reachable() {
    let is_up = Arc::new(AtomicBool::new(true));
    let stub = Stub::scripted({
        let is_up = is_up.clone();
        move |_| match is_up.load(Ordering::SeqCst) {
            true => Behaviour::json(200, json!({ "event_id": "$e" })),
            false => Behaviour::Drop,
        }
    });
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--admin", "127.0.0.1:0"]);
    let page = Page::of(&gateway);
    assert_eq!(
        stub.received().len(),
        0,
        "the gateway makes no call on its own"
    );
    // No device has sent a request: the gateway itself calls the homeserver.
    let ready = page.get("/readyz");
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    let asked: Vec<_> = stub
        .received()
        .iter()
        .map(|one| one.target.clone())
        .collect();
    assert_eq!(asked, ["/_matrix/client/versions"]);
    for _ in 0..5 {
        assert_eq!(page.get("/readyz").status, 200);
    }
    assert_eq!(
        stub.received().len(),
        1,
        "a recent result is not requested again"
    );
    // Calls for devices update it too.
    is_up.store(false, Ordering::SeqCst);
    let mut device = Aiocoap::start(gateway.address);
    // A read does not wait for the homeserver, as a message does.
    let read = Request::new("GET", "/getmsg/!room:localhost").token("a-token");
    assert_eq!(device.request(&read).code, "5.02");
    let unreachable = page.get("/readyz");
    assert_eq!(unreachable.status, 503);
    let expected = format!(
        "the homeserver {} is not reachable (cut-off): it closes",
        stub.origin
    );
    assert!(
        unreachable.body.starts_with(&expected),
        "{}",
        unreachable.body
    );
    assert_eq!(
        page.get("/healthz").status,
        200,
        "the event loop runs all the same"
    );
    is_up.store(true, Ordering::SeqCst);
    assert_eq!(device.request(&send_to(&stub.origin)).code, "2.04");
    assert_eq!(page.get("/readyz").status, 200);
}

#[test]
fn each_reason_why_it_is_not_ready_has_a_remedy() {
    let scratch = Scratch::new("missing");
    let rule = places::workspace().join("target/guest/senml.wasm");
    let rule = format!("senml={}", rule.display());
    let socket = scratch.path().join("admin.sock").display().to_string();
    let gateway = Gateway::start(&[
        "--homeserver",
        "http://127.0.0.1:9",
        "--rule",
        &rule,
        "--admin",
        &socket,
    ]);
    let page = Page::Socket(socket.clone().into());
    let missing = page.get("/readyz");
    assert_eq!(missing.status, 503);
    let [rule, homeserver] = missing.body.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", missing.body)
    };
    assert!(
        rule.contains("rule senml is out of service") && rule.contains("allow ="),
        "{rule}"
    );
    assert!(
        homeserver.contains("http://127.0.0.1:9 is not reachable (unreachable)"),
        "{homeserver}"
    );
    // The same in a terminal.
    let output = gateway::run(&["status", "--admin", &socket]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("NOT READY") && said.contains(homeserver),
        "{said}"
    );
    let line = "the status page is at";
    assert!(gateway.log_until(line).contains(line));
}

#[test]
fn the_command_shows_the_same_as_the_page() {
    let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
    let scratch = Scratch::new("status");
    let socket = scratch.path().join("admin.sock").display().to_string();
    let gateway = Gateway::start(&["--homeserver", &stub.origin, "--admin", &socket]);
    let mut device = Aiocoap::start(gateway.address);
    assert_eq!(device.request(&send_to(&stub.origin)).code, "2.04");
    let output = gateway::run(&["status", "--admin", &socket]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let first = said.lines().next().unwrap_or_default();
    assert!(
        first.contains(&gateway.address.to_string()) && first.ends_with(": ready"),
        "{said}"
    );
    for part in [
        "127.0.0.1 PUT /send rule=comatrix upstream=200 2.04",
        "comatrix at /:",
        "127.0.0.1: 1 request, the last 2.04",
        &format!("{}: reachable, last 200", stub.origin),
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let json = gateway::run(&["status", "--admin", &socket, "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("it is JSON");
    assert_eq!(json["recent_requests"][0]["code"], "2.04");
    assert_eq!(
        json["recent_requests"],
        Page::Socket(socket.into()).status()["recent_requests"]
    );
}

#[test]
fn without_a_gateway_the_command_exits_with_status_2() {
    let gone = gateway::run(&["status", "--admin", "/no/such/admin.sock"]);
    let said = String::from_utf8_lossy(&gone.stderr);
    assert_eq!(gone.status.code(), Some(2), "{said}");
    assert!(said.contains("is it running as this user"), "{said}");
    let open = gateway::run(&["status", "--admin", "0.0.0.0:9683"]);
    let said = String::from_utf8_lossy(&open.stderr);
    assert_eq!(open.status.code(), Some(2), "{said}");
    assert!(said.contains("127.0.0.1:9683"), "{said}");
}

#[test]
fn another_user_sees_nothing_even_if_the_socket_is_open_to_all() {
    let folder = std::env::temp_dir().join(format!("comatrix-admin-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder is writable");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("it was just made");
    let socket = folder.join("admin.sock");
    let gateway = Gateway::start(&[
        "--homeserver",
        "http://127.0.0.1:9",
        "--admin",
        &socket.display().to_string(),
    ]);
    let mode = fs::metadata(&socket)
        .expect("it is bound")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let request = "GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let said = as_another_user(&socket, request);
    assert!(said.starts_with("PermissionError"), "{said}");
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).expect("it is the test's");
    let said = as_another_user(&socket, request);
    assert!(said.starts_with("HTTP/1.1 403"), "{said}");
    assert!(
        gateway
            .log()
            .contains("status page: user 65534 was refused")
    );
    assert_eq!(Page::Socket(socket).get("/healthz").status, 200);
    let _ = fs::remove_dir_all(&folder);
}
