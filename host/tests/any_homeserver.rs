//! `--allow-any-homeserver`: the origins that devices may name, and that no packet goes into the network
//! around the gateway.

use contract::{HttpRequest, Upstream};
use homeserver::{Caller, Others, Upstreams};
use std::time::Duration;
use url::Url;

use crate::http_call::{call_for, device, failure, homeserver, request, settings, token};
use crate::stub::Stub;

fn open(default: &Stub) -> Upstreams {
    let mut settings = settings(vec![homeserver(default.url(), Some("configured"))]);
    settings.others = Some(Others::new(settings.limits));
    Upstreams::new(settings).expect("the system has certificate authorities")
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[tokio::test]
async fn without_the_switch_only_configured_origins_are_found() {
    let stub = Stub::content();
    let closed = Upstreams::new(settings(vec![homeserver(stub.url(), None)])).expect("no file");
    assert!(closed.find(&stub.url()).is_ok());
    for other in [
        stub.origin("https", "127.0.0.1"),
        stub.origin("http", "localhost"),
        stub.origin("http", "127.0.0.2"),
        url("http://127.0.0.1:1"),
        url("https://matrix.example.org"),
    ] {
        let Err(reason) = closed.find(&other) else {
            panic!("{other}")
        };
        assert!(reason.contains("--homeserver"), "{reason}");
    }
}

#[tokio::test]
async fn with_it_addresses_and_plain_http_are_still_refused() {
    let stub = Stub::content();
    let open = open(&stub);
    for refused in [
        "http://matrix.example.org",
        "https://192.0.2.1",
        "https://1.1.1.1",
        "https://[2606:4700::1111]",
        "https://[::1]",
        "https://127.0.0.1",
        "https://0x7f.1",
        "https://2130706433",
        "https://127.1",
    ] {
        assert!(open.find(&url(refused)).is_err(), "{refused}");
    }
    assert!(open.find(&url("https://matrix.example.org")).is_ok());
    assert!(
        open.find(&stub.url()).is_ok(),
        "a configured homeserver stays"
    );
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_gets_no_packet() {
    let (default, aim) = (Stub::content(), Stub::content());
    let open = open(&default);
    for name in ["localhost", "LOCALHOST"] {
        let requested = open.find(&aim.origin("https", name));
        let device = Caller {
            token: Some(token("devices")),
            session: None,
            requested: Some(requested.unwrap_or_else(|reason| panic!("{reason}"))),
            ..device()
        };
        for credential in ["none", "device"] {
            let request = HttpRequest {
                upstream: Upstream::Requested,
                credential: credential.into(),
                ..request()
            };
            let outcome = call_for(&open, &device, request, Duration::from_secs(20)).await;
            assert_eq!(failure(outcome), ("denied".into(), false), "{name}");
        }
    }
    assert_eq!(aim.connections(), 0);
}

#[tokio::test]
async fn a_configured_token_does_not_go_to_a_homeserver_that_a_device_chose() {
    let default = Stub::content();
    let open = open(&default);
    let device = Caller {
        session: None,
        requested: open.find(&url("https://matrix.invalid")).ok(),
        ..device()
    };
    let request = HttpRequest {
        upstream: Upstream::Requested,
        credential: "any".into(),
        ..request()
    };
    let outcome = call_for(&open, &device, request, Duration::from_secs(20)).await;
    assert_eq!(failure(outcome), ("no-credential".into(), false));
}

#[test]
fn the_record_of_unconfigured_homeservers_survives_a_reload_of_the_configuration() {
    let stub = Stub::content();
    let former = open(&stub);
    let mut settings = settings(vec![homeserver(stub.url(), None)]);
    settings.others = Some(Others::new(settings.limits));
    settings.keep(&former);
    let next = Upstreams::new(settings).expect("the system has certificate authorities");
    let record = |upstreams: &Upstreams| {
        let probes = upstreams.probes();
        let (_, record) = probes.others().expect("it is switched on");
        std::ptr::from_ref(record)
    };
    assert_eq!(record(&next), record(&former));
}
