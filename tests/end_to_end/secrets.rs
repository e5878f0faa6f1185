//! Tokens and passwords stay out of the log, however talkative it is, and off the status page.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Spelling};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::page::Page;
use comatrix_tests::places::Scratch;
use comatrix_tests::stub::{Behaviour, Received, Stub};
use serde_json::json;

fn homeserver(request: &Received) -> Behaviour {
    match request.target.rsplit('/').next() {
        Some(last) if last.starts_with("register") || last.starts_with("login") => {
            Behaviour::json(200, json!({ "access_token": "ISSUED-SECRET" }))
        }
        Some("join") => Behaviour::json(200, json!({ "room_id": "!room:localhost" })),
        Some("logout") => Behaviour::json(200, json!({})),
        // A homeserver that repeats the request.
        _ => Behaviour::json(
            401,
            json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "DEVICE-SECRET is unknown" }),
        ),
    }
}

#[test]
fn tokens_and_passwords_are_never_logged_even_at_level_trace_nor_shown_on_the_status_page() {
    let stub = Stub::scripted(homeserver);
    let origin = stub.origin.clone();
    let scratch = Scratch::new("token");
    let token_file = scratch
        .write("token", "CONFIGURED-SECRET\n")
        .display()
        .to_string();
    let arguments = [
        "--homeserver",
        &origin,
        "--access-token-file",
        &token_file,
        "--log-level",
        "trace",
        "--admin",
        "127.0.0.1:0",
    ];
    let gateway = Gateway::start(&arguments);
    let mut device = Aiocoap::start(gateway.address);
    let account = json!({ "username": "u", "password": "PASSWORD-SECRET", "auth": { "type": "m.login.dummy" } });
    let login = json!({
        "type": "m.login.password", "identifier": { "type": "m.id.user", "user": "u" }, "password": "PASSWORD-SECRET",
    });
    let broken =
        json!({ "type": "m.login.password", "password": "PASSWORD-SECRET", "identifier": 1 });
    let message = json!({ "msgtype": "m.text", "body": "TEXT-SECRET" });
    let join = Spelling::Short.join(&origin, "!room:localhost");
    let requests = [
        Request::new("POST", "/register")
            .proxy_uri(&Spelling::Short.register(&origin))
            .cbor(account),
        Request::new("POST", "/login")
            .proxy_uri(&Spelling::Short.login(&origin))
            .cbor(login),
        Request::new("POST", "/login")
            .proxy_uri(&Spelling::Short.login(&origin))
            .cbor(broken),
        Request::new("POST", "/login").bytes(b"\xa1\x68passwordoPASSWORD-SECRET", Some(60)),
        Request::new("POST", "/join")
            .proxy_uri(&join)
            .token("DEVICE-SECRET"),
        Request::new("POST", "/join")
            .proxy_uri(&join)
            .token("Bearer DEVICE-SECRET"),
        Request::new("POST", "/join")
            .proxy_uri(&join)
            .token("DEVICE-SECRET\n"),
        Request::new("POST", "/join")
            .proxy_uri(&format!("{join}?access_token=QUERY-SECRET"))
            .token("DEVICE-SECRET"),
        Request::new("POST", "/join?access_token=QUERY-SECRET")
            .proxy_uri(&join)
            .token("DEVICE-SECRET"),
        Request::new("POST", "/join")
            .proxy_uri("http://u:QUERY-SECRET@127.0.0.1/K/!room")
            .token("DEVICE-SECRET"),
        Request::new("PUT", "/send/!room:localhost/txn").cbor(message.clone()),
        Request::new("PUT", "/send/!room:localhost/txn")
            .token("DEVICE-SECRET")
            .cbor(message),
        Request::new("GET", "/getmsg/!room:localhost").token("DEVICE-SECRET"),
        Request::new("POST", "/logout").token("DEVICE-SECRET"),
    ];
    for request in &requests {
        device.request(request);
    }
    // That the secrets were in play at all:
    let authorizations: Vec<_> = stub
        .received()
        .iter()
        .filter_map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    for token in ["Bearer DEVICE-SECRET", "Bearer CONFIGURED-SECRET"] {
        assert!(
            authorizations.iter().any(|sent| sent == token),
            "{token} was never used: {authorizations:?}"
        );
    }
    let log = gateway.log_until("/logout");
    for resource in [
        "/register",
        "/login",
        "/join",
        "/send",
        "/getmsg",
        "/logout",
    ] {
        assert!(
            log.contains(resource),
            "{resource} is not in the log:\n{log}"
        );
    }
    let leaks: Vec<&str> = log.lines().filter(|line| line.contains("SECRET")).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    let page = Page::of(&gateway);
    for path in ["/", "/live", "/status.json", "/metrics", "/readyz"] {
        let shown = page.get(path).body;
        for secret in ["SECRET", "!room", "%21room", "access_token"] {
            assert!(!shown.contains(secret), "{secret} is on {path}:\n{shown}");
        }
    }
    let shown = page.get("/").body;
    assert!(
        shown.contains("/getmsg/*") && shown.contains("4.01"),
        "{shown}"
    );
}
