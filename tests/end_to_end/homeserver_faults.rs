//! A homeserver that is broken, gone, or no homeserver at all.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Response, Spelling, option};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::stub::{Behaviour, Received, Stub};
use serde_json::json;

use crate::stage::{Stubbed, outbox_off, send_to};

fn response_to_send(behaviour: Behaviour) -> Response {
    let mut stubbed = Stubbed::always(behaviour);
    let send = stubbed.send();
    let response = stubbed.device.request(&send);
    assert_eq!(stubbed.stub.received().len(), 1, "the gateway asked once");
    response
}

fn page(status: u16, content_type: &str, body: &[u8]) -> Behaviour {
    Behaviour::Response {
        status,
        headers: vec![("Content-Type", content_type.to_owned())],
        body: body.to_vec(),
    }
}

#[test]
fn a_redirect_becomes_5_02_and_is_not_followed() {
    let elsewhere = Stub::always(Behaviour::json(200, json!({ "event_id": "$elsewhere" })));
    for status in [301, 302, 303, 307, 308] {
        let redirect = page(status, "text/html", b"")
            .with_header("Location", &format!("{}/trap", elsewhere.origin));
        assert_eq!(response_to_send(redirect).code, "5.02", "for {status}");
    }
    assert_eq!(elsewhere.connections(), 0, "no packet went there");
}

#[test]
fn an_html_page_instead_of_json_becomes_5_02_with_any_status() {
    for status in [200, 404, 502] {
        let response = response_to_send(page(
            status,
            "text/html",
            b"<html><body>Welcome to nginx!</body></html>",
        ));
        assert_eq!(response.code, "5.02", "for {status}: {response:?}");
    }
}

#[test]
fn json_that_ends_early_or_is_no_object_becomes_5_02() {
    for body in [
        &b""[..],
        b"{",
        b"{\"event_id\":\"$x\"",
        b"[]",
        b"null",
        b"\"$x\"",
        b"{\"event_id\":\"$x\"} trailing",
        b"\xff",
    ] {
        let response = response_to_send(page(200, "application/json", body));
        assert_eq!(response.code, "5.02", "{body:?} got {response:?}");
    }
}

#[test]
fn a_2xx_without_the_field_it_must_have_becomes_5_02() {
    let register = json!({ "username": "u", "password": "p", "auth": { "type": "m.login.dummy" } });
    let login = json!({
        "type": "m.login.password", "identifier": { "type": "m.id.user", "user": "u" }, "password": "p",
    });
    for body in [
        json!({}),
        json!({ "event_id": 1, "access_token": null, "room_id": ["!r:s"], "chunk": {} }),
    ] {
        let mut stubbed = Stubbed::always(Behaviour::json(200, body));
        let origin = stubbed.stub.origin.clone();
        let requests = [
            Request::new("POST", "/register")
                .proxy_uri(&Spelling::Full.register(&origin))
                .cbor(register.clone()),
            Request::new("POST", "/login")
                .proxy_uri(&Spelling::Full.login(&origin))
                .cbor(login.clone()),
            Request::new("POST", "/join")
                .proxy_uri(&Spelling::Full.join(&origin, "!r:s"))
                .token("t"),
            send_to(&origin),
            Request::new("GET", "/getmsg")
                .proxy_uri(&Spelling::Full.getmsg(&origin, "!r:s"))
                .token("t"),
        ];
        for request in requests {
            let response = stubbed.device.request(&request);
            assert_eq!(response.code, "5.02", "{} got {response:?}", request.path);
        }
    }
}

#[test]
fn half_an_http_response_becomes_5_02() {
    assert_eq!(response_to_send(Behaviour::HalfResponse).code, "5.02");
}

#[test]
fn a_connection_cut_before_the_http_response_becomes_5_02() {
    let mut stubbed = Stubbed::always(Behaviour::Drop);
    let send = stubbed.send();
    assert_eq!(stubbed.device.request(&send).code, "5.02");
}

#[test]
fn bytes_that_are_no_http_become_5_02() {
    assert_eq!(response_to_send(Behaviour::NotHttp).code, "5.02");
}

/// A server without TLS, at an address that promises it; it greets each connection with these bytes.
fn plain_server(greeting: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            // Reading first: closing with unread bytes would reset the connection.
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(greeting);
        }
    });
    format!("https://{address}")
}

#[test]
fn a_failed_tls_handshake_becomes_5_02() {
    for greeting in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"",
    ] {
        let origin = plain_server(greeting);
        let gateway = Gateway::start(&["--homeserver", &origin, "--config", outbox_off()]);
        let response = Aiocoap::start(gateway.address).request(&send_to(&origin));
        assert_eq!(response.code, "5.02", "{greeting:?} got {response:?}");
    }
}

#[test]
fn a_repeatable_request_is_sent_once_more_when_the_connection_closes_and_no_other_is() {
    let first_time_cut = |response: serde_json::Value| {
        let count = AtomicUsize::new(0);
        Stub::scripted(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => Behaviour::Drop,
            _ => Behaviour::json(200, response.clone()),
        })
    };
    let mut stubbed = Stubbed::with(first_time_cut(json!({ "event_id": "$second" })));
    let send = stubbed.send();
    assert_eq!(stubbed.device.request(&send).field("event_id"), "$second");
    let targets: Vec<String> = stubbed
        .stub
        .received()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert!(
        targets.len() == 2 && targets[0] == targets[1],
        "one transaction: {targets:?}"
    );

    let mut stubbed = Stubbed::with(first_time_cut(json!({ "room_id": "!r:s" })));
    let join = Request::new("POST", "/join")
        .proxy_uri(&Spelling::Short.join(&stubbed.stub.origin, "!r:s"))
        .token("t");
    assert_eq!(stubbed.device.request(&join).code, "5.02");
    assert_eq!(stubbed.stub.received().len(), 1, "POST is not asked twice");
}

#[test]
fn an_http_response_of_20_megabytes_becomes_5_02_and_is_not_kept() {
    let body = format!(r#"{{"event_id":"${}"}}"#, "x".repeat(20_000_000));
    let response = response_to_send(page(200, "application/json", body.as_bytes()));
    assert_eq!(
        response.code,
        "5.02",
        "{} bytes of payload",
        response.payload.len()
    );
}

#[test]
fn a_homeserver_that_refuses_connections_leads_to_5_03_with_max_age() {
    let free = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let origin = format!("http://{free}");
    let gateway = Gateway::start(&["--homeserver", &origin, "--config", outbox_off()]);
    let response = Aiocoap::start(gateway.address).request(&send_to(&origin));
    assert_eq!(response.code, "5.03", "{response:?}");
    assert!(response.number(option::MAX_AGE).is_some(), "{response:?}");
}

#[test]
fn a_homeserver_whose_name_is_not_found_leads_to_5_03_with_max_age() {
    // RFC 6761 §6.4: no such name, ever.
    let origin = "http://homeserver.invalid:8008";
    let gateway = Gateway::start(&["--homeserver", origin, "--config", outbox_off()]);
    let response = Aiocoap::start(gateway.address).request(&send_to(origin));
    assert_eq!(response.code, "5.03", "{response:?}");
    assert!(response.number(option::MAX_AGE).is_some(), "{response:?}");
}

fn ends_with_5_04_after_10_seconds(stub: Stub, request: impl Fn(&str) -> Request) {
    let mut stubbed = Stubbed::with(stub);
    let request = request(&stubbed.stub.origin);
    let started = Instant::now();
    let response = stubbed.device.request(&request);
    let elapsed = started.elapsed();
    assert_eq!(response.code, "5.04", "{response:?} after {elapsed:?}");
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(13)).contains(&elapsed),
        "it took {elapsed:?}"
    );
}

#[test]
fn a_homeserver_that_hangs_leads_to_5_04_after_10_seconds() {
    ends_with_5_04_after_10_seconds(Stub::always(Behaviour::Hang), send_to);
}

#[test]
fn a_homeserver_that_dribbles_its_response_leads_to_5_04_after_10_seconds() {
    ends_with_5_04_after_10_seconds(Stub::always(Behaviour::Dribble), send_to);
}

#[test]
fn the_10_seconds_are_for_every_step_of_an_exchange_together() {
    // Registration takes two calls (the Matrix specification's user-interactive authentication), each within 10 s.
    let script = |request: &Received| {
        let body = String::from_utf8_lossy(&request.body);
        let response = if body.contains("uia-session") {
            Behaviour::json(200, json!({ "access_token": "late" }))
        } else {
            let flows = json!([{ "stages": ["m.login.dummy"] }]);
            Behaviour::json(
                401,
                json!({ "session": "uia-session", "flows": flows, "params": {} }),
            )
        };
        Behaviour::Late(Duration::from_secs(7), Box::new(response))
    };
    ends_with_5_04_after_10_seconds(Stub::scripted(script), |origin| {
        Request::new("POST", "/register")
            .proxy_uri(&Spelling::Short.register(origin))
            .cbor(json!({ "username": "u", "password": "p", "auth": { "type": "m.login.dummy" } }))
    });
}

#[test]
fn after_every_fault_the_next_request_goes_well() {
    let script = |request: &Received| {
        let content: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match content["body"].as_str() {
            Some("0") => Behaviour::Drop,
            Some("2") => Behaviour::HalfResponse,
            Some("4") => Behaviour::NotHttp,
            Some("6") => page(200, "text/html", b"<html>"),
            _ => Behaviour::json(200, json!({ "event_id": "$well" })),
        }
    };
    let mut stubbed = Stubbed::with(Stub::scripted(script));
    let codes: Vec<String> = (0..8)
        .map(|number| {
            let uri = Spelling::Short.send(
                &stubbed.stub.origin,
                "!room:localhost",
                &format!("txn{number}"),
            );
            let send = Request::new("PUT", "/send").proxy_uri(&uri).token("t");
            let content = json!({ "msgtype": "m.text", "body": number.to_string() });
            stubbed.device.request(&send.cbor(content)).code
        })
        .collect();
    assert_eq!(
        codes,
        [
            "5.02", "2.04", "5.02", "2.04", "5.02", "2.04", "5.02", "2.04"
        ]
    );
}
