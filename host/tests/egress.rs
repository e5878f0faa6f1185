//! Calls to homeservers: connections, retries, deadlines and limits.

use std::time::{Duration, Instant};

use contract::HttpRequest;
use homeserver::{ClientApi, ConcurrencyLimit, Homeserver, UpstreamLimits, Upstreams};
use url::Url;

use crate::http_call::{
    LIMITS, call, call_within, failure, homeserver, request, settings, upstreams,
};
use crate::stub::{Reaction, Received, Stub};

fn to(stub: &Stub) -> Upstreams {
    upstreams(vec![homeserver(stub.url(), None)])
}

fn with_method(method: &str) -> HttpRequest {
    HttpRequest {
        method: method.into(),
        body: Some(b"{}".to_vec()),
        ..request()
    }
}

/// Responds to the first request on each connection and closes at the second, as a server does with an idle connection.
fn closes_at_the_second(received: &Received, earlier: &std::sync::Mutex<Vec<usize>>) -> Reaction {
    let mut earlier = earlier.lock().expect("nobody panics with it");
    if earlier.contains(&received.connection) {
        return Reaction::Close;
    }
    earlier.push(received.connection);
    Reaction::Json(200, "{}".into())
}

fn stale() -> Stub {
    let earlier = std::sync::Mutex::default();
    Stub::start(move |received| closes_at_the_second(received, &earlier))
}

#[tokio::test]
async fn a_put_on_a_kept_connection_that_closes_is_repeated_on_a_new_one() {
    let stub = stale();
    let upstreams = to(&stub);
    for _ in 0..2 {
        let response = call(&upstreams, with_method("PUT")).await;
        assert_eq!(response.map(|response| response.status).ok(), Some(200));
    }
    let connections: Vec<usize> = stub
        .received()
        .iter()
        .map(|received| received.connection)
        .collect();
    assert_eq!(connections, [0, 0, 1]);
    assert!(
        stub.received()
            .iter()
            .all(|received| received.body == b"{}")
    );
}

#[tokio::test]
async fn a_post_on_a_kept_connection_that_closes_is_not_repeated() {
    let stub = stale();
    let upstreams = to(&stub);
    assert!(call(&upstreams, with_method("POST")).await.is_ok());
    let second = call(&upstreams, with_method("POST")).await;
    assert_eq!(failure(second), ("cut-off".into(), true));
    assert_eq!(stub.received().len(), 2);
}

#[tokio::test]
async fn a_put_is_repeated_once_and_not_more_often() {
    let stub = Stub::start(|_| Reaction::Close);
    let outcome = call(&to(&stub), with_method("PUT")).await;
    assert_eq!(failure(outcome), ("cut-off".into(), true));
    assert_eq!(stub.received().len(), 2);
}

#[tokio::test]
async fn a_response_may_have_as_many_bytes_as_its_limit_and_no_more() {
    for (length, fits) in [(2000, true), (2001, false)] {
        let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let mut whole = whole.into_bytes();
        whole.extend(vec![b'x'; length]);
        let chunk = length / 2;
        let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for size in [chunk, length - chunk] {
            chunked.extend(format!("{size:x}\r\n{}\r\n", "x".repeat(size)).into_bytes());
        }
        chunked.extend(b"0\r\n\r\n");
        for response in [whole, chunked] {
            let stub = Stub::start(move |_| Reaction::Raw(response.clone()));
            let mut settings = settings(vec![homeserver(stub.url(), None)]);
            settings.limits = UpstreamLimits {
                response: 2000,
                ..LIMITS
            };
            let upstreams = Upstreams::new(settings).expect("no file is read");
            match call(&upstreams, request()).await {
                Ok(response) => assert!(fits && response.body.len() == length),
                error => {
                    assert!(!fits);
                    assert_eq!(failure(error), ("too-large".into(), true));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_silent_homeserver_costs_no_more_than_the_deadline() {
    let stub = Stub::start(|_| Reaction::Silence);
    let began = Instant::now();
    let outcome = call_within(&to(&stub), request(), Duration::from_millis(300)).await;
    assert_eq!(failure(outcome), ("timed-out".into(), true));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(stub.received().len(), 1);
}

#[tokio::test]
async fn a_call_with_a_full_queue_is_busy_and_one_that_times_out_in_the_queue_was_not_sent() {
    let stub = Stub::start(|_| Reaction::Silence);
    let slots = ConcurrencyLimit::new(1, 15);
    let only = Homeserver::configured(stub.url(), None, None, ClientApi::V3, slots);
    let upstreams = upstreams(vec![only]);
    let within = |milliseconds| {
        let limit = Duration::from_millis(milliseconds);
        call_within(&upstreams, request(), limit)
    };
    let (sent, queued, rejected) = tokio::join!(within(600), within(300), within(600));
    assert_eq!(failure(sent), ("timed-out".into(), true));
    assert_eq!(failure(queued), ("timed-out".into(), false));
    assert_eq!(failure(rejected), ("busy".into(), false));
    assert_eq!(stub.received().len(), 1);
}

#[tokio::test]
async fn calls_in_flight_still_count_after_a_reconfiguration_that_does_not_change_their_homeserver()
{
    let stub = Stub::start(|_| Reaction::Silence);
    let configured = |name: &str| {
        let slots = ConcurrencyLimit::new(1, 0);
        let name = Some(name.to_owned());
        settings(vec![Homeserver::configured(
            stub.url(),
            name,
            None,
            ClientApi::V3,
            slots,
        )])
    };
    let former = Upstreams::new(configured("a")).expect("no file is read");
    let next = |name| {
        let mut settings = configured(name);
        settings.keep(&former);
        Upstreams::new(settings).expect("no file is read")
    };
    let (same, renamed) = (next("a"), next("b"));
    let within = |upstreams| call_within(upstreams, request(), Duration::from_millis(300));
    let (first, of_same, of_renamed) =
        tokio::join!(within(&former), within(&same), within(&renamed));
    assert_eq!(failure(first), ("timed-out".into(), true));
    assert_eq!(failure(of_same), ("busy".into(), false));
    assert_eq!(failure(of_renamed), ("timed-out".into(), true));
}

#[tokio::test]
async fn a_port_without_a_listener_is_unreachable() {
    let stub = Stub::content();
    let origin = stub.url();
    drop(stub);
    let outcome = call(&upstreams(vec![homeserver(origin, None)]), request()).await;
    assert_eq!(failure(outcome), ("unreachable".into(), false));
}

#[tokio::test]
async fn a_homeserver_without_tls_at_an_https_origin_is_a_tls_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().expect("the gateway connects");
        // The header of a TLS record.
        stream
            .read_exact(&mut [0; 5])
            .expect("it begins a handshake");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
    });
    let plain = Url::parse(&format!("https://127.0.0.1:{port}")).expect("it is a URL");
    let outcome = call(&upstreams(vec![homeserver(plain, None)]), request()).await;
    assert_eq!(failure(outcome), ("tls".into(), false));
}

#[tokio::test]
async fn half_a_response_and_bytes_that_are_not_http_are_cut_off() {
    for bytes in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ] {
        let stub = Stub::start(move |_| Reaction::Raw(bytes.as_bytes().to_vec()));
        let outcome = call(&to(&stub), with_method("POST")).await;
        assert_eq!(failure(outcome), ("cut-off".into(), true), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_response_and_is_not_followed() {
    let aim = Stub::content();
    let location = aim.url();
    let stub = Stub::start(move |_| {
        let head =
            format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        Reaction::Raw(head.into_bytes())
    });
    let response = call(&to(&stub), request()).await.expect("it is a response");
    assert_eq!(response.status, 302);
    assert_eq!(aim.connections(), 0);
}

#[tokio::test]
async fn a_rule_gets_four_headers_of_a_response_and_no_others() {
    let stub = Stub::start(|_| {
        let head = "HTTP/1.1 429 No\r\nContent-Type: application/json\r\nRetry-After: 7\r\nETag: \"x\"\r\n\
                    Last-Modified: y\r\nSet-Cookie: a=b\r\nServer: z\r\ncontent-length: 2\r\n\r\n{}";
        Reaction::Raw(head.as_bytes().to_vec())
    });
    let response = call(&to(&stub), request()).await.expect("it is a response");
    let mut names: Vec<&str> = response
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["content-type", "etag", "last-modified", "retry-after"]
    );
    assert_eq!(
        (response.status, response.body.as_slice()),
        (429, b"{}".as_slice())
    );
}
