//! The responses that are being received: one host's do not take the memory of those of others.

use std::io::Write;
use std::time::Duration;

use contract::HttpRequest;
use homeserver::{Caller, ResponseBytes, Upstreams};
use share::Owner;
use tokio::time::sleep;

use crate::http_call::{LIMITS, call_for, device, failure, homeserver, request, settings};
use crate::stub::{Reaction, Stub};

/// Bytes that the stub sends of its slow response before it stops, of 1 MiB that it announces.
const BEGUN: usize = 900 << 10;

/// Sends the slow response to a POST, 512 KiB to a GET, and a few bytes to a PUT.
fn stub() -> Stub {
    Stub::start_with_connection(|received, mut connection| match received.method.as_str() {
        "POST" => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1 << 20);
            let begun = [head.into_bytes(), vec![b'x'; BEGUN]].concat();
            connection.write_all(&begun).ok();
            Reaction::Silence
        }
        "GET" => Reaction::Json(200, "x".repeat(512 << 10)),
        _ => Reaction::Json(200, "{}".into()),
    })
}

fn host(number: u64) -> Caller {
    Caller {
        owner: Owner::new(number, None),
        ..device()
    }
}

fn with_method(method: &str) -> HttpRequest {
    HttpRequest {
        method: method.into(),
        ..request()
    }
}

#[tokio::test]
async fn large_responses_that_arrive_slowly_leave_room_for_those_of_other_hosts() {
    let stub = stub();
    let mut settings = settings(vec![homeserver(stub.url(), None)]);
    let response_bytes = ResponseBytes::new(LIMITS);
    settings.response_bytes = response_bytes.clone();
    let upstreams = Upstreams::new(settings).expect("no file is read");
    let (hostile, honest) = (host(1), host(2));
    let call = |caller, method, limit| call_for(&upstreams, caller, with_method(method), limit);
    let slow = || call(&hostile, "POST", Duration::from_secs(3));
    let beside = async {
        sleep(Duration::from_secs(1)).await;
        let held = response_bytes.in_all();
        assert!(
            (BEGUN..=1 << 20).contains(&held),
            "its share and no more: {held}"
        );
        let limit = Duration::from_secs(20);
        let own = call(&hostile, "PUT", limit).await;
        assert!(own.is_ok(), "a small response has its place: {own:?}");
        let own = call(&hostile, "GET", limit).await;
        assert_eq!(failure(own), ("busy".into(), true));
        call(&honest, "GET", limit).await
    };
    let (one, two, three, four, other) = tokio::join!(slow(), slow(), slow(), slow(), beside);
    let mut ends = [one, two, three, four].map(failure);
    ends.sort();
    let busy = || ("busy".to_owned(), true);
    assert_eq!(ends, [busy(), busy(), busy(), ("timed-out".into(), true)]);
    assert_eq!(
        other.map(|response| response.body.len()).ok(),
        Some(512 << 10)
    );
    assert_eq!(response_bytes.in_all(), 0);
}

#[tokio::test]
async fn responses_still_count_after_a_reconfiguration() {
    let stub = stub();
    let configured = || settings(vec![homeserver(stub.url(), None)]);
    let former = Upstreams::new(configured()).expect("no file is read");
    let mut next = configured();
    next.keep(&former);
    let next = Upstreams::new(next).expect("no file is read");
    let hostile = host(1);
    let call = |upstreams, method| {
        call_for(
            upstreams,
            &hostile,
            with_method(method),
            Duration::from_secs(2),
        )
    };
    let beside = async {
        sleep(Duration::from_secs(1)).await;
        call(&next, "GET").await
    };
    let (slow, other) = tokio::join!(call(&former, "POST"), beside);
    assert_eq!(failure(slow), ("timed-out".into(), true));
    assert_eq!(failure(other), ("busy".into(), true));
}
