//! The HTTP requests that a rule can make the gateway send.

use contract::HttpRequest;
use homeserver::{ClientApi, ConcurrencyLimit, Homeserver, Upstreams};

use crate::http_call::{call, failure, homeserver, request, upstreams};
use crate::stub::{Reaction, Received, Stub};

fn to(stub: &Stub) -> Upstreams {
    upstreams(vec![homeserver(stub.url(), None)])
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test]
async fn segments_and_pairs_arrive_unchanged_with_any_characters() {
    let stub = Stub::content();
    let path = texts(&[
        "a/b", "..x", "%2e%2e", "?", "#", "\\", "\u{fc}", "a b", "+", "!r:h", "$e",
    ]);
    let query = pairs(&[("a&b", "c=d"), ("+", "%"), ("", ""), ("\u{fc}", " #")]);
    let request = HttpRequest {
        path: path.clone(),
        query: query.clone(),
        ..request()
    };
    assert!(call(&to(&stub), request).await.is_ok());
    let target = stub.only().target;
    let (sent_path, sent_query) = target.split_once('?').expect("it has a query");
    let decoded: Vec<_> = sent_path
        .split('/')
        .skip(1)
        .map(|segment| {
            percent_encoding::percent_decode_str(segment)
                .decode_utf8()
                .expect("it is text")
        })
        .collect();
    assert_eq!(decoded, path);
    let decoded: Vec<_> = url::form_urlencoded::parse(sent_query.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(decoded, query);
}

#[tokio::test]
async fn headers_that_a_rule_may_send_arrive() {
    let stub = Stub::content();
    let headers = pairs(&[
        ("content-type", "application/json"),
        ("accept", "*/*"),
        ("if-match", "\"a\""),
        ("if-none-match", "*"),
        ("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("x-matrix-own", "1"),
    ]);
    let request = HttpRequest {
        headers: headers.clone(),
        ..request()
    };
    assert!(call(&to(&stub), request).await.is_ok());
    let received = stub.only();
    for (name, value) in &headers {
        assert_eq!(received.header(name), Some(value.as_str()), "{name}");
    }
}

/// Checks that none of these leaves the gateway.
async fn all_are_denied(requests: impl IntoIterator<Item = HttpRequest>) {
    let stub = Stub::content();
    let upstreams = to(&stub);
    for request in requests {
        let said = format!("{request:?}").chars().take(300).collect::<String>();
        assert_eq!(
            failure(call(&upstreams, request).await),
            ("denied".into(), false),
            "{said}"
        );
    }
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn headers_that_a_rule_may_not_send_are_denied() {
    let wrong = [
        ("authorization", "Bearer x"),
        ("host", "evil.example"),
        ("cookie", "a=b"),
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("proxy-authorization", "x"),
        ("user-agent", "x"),
        ("forwarded", "for=192.0.2.1"),
        ("via", "1.1 x"),
        ("x-client-ip", "192.0.2.1"),
        ("x-originating-ip", "192.0.2.1"),
        ("x-remote-ip", "192.0.2.1"),
        ("x-cluster-client-ip", "192.0.2.1"),
        ("x-real-ip", "192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-host", "x"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-own", "1"),
        ("X-Matrix-Own", "1"),
        ("x-matrix-own\r\nx-two", "1"),
        ("x-matrix own", "1"),
        ("", "1"),
        ("accept", "1\r\nauthorization: Bearer x"),
        ("accept", "1\n2"),
        ("accept", "\0"),
    ];
    let too_many = (0..17).map(|number| (format!("x-matrix-{number}"), "1".to_owned()));
    let too_many = too_many.collect::<Vec<_>>();
    let lists = wrong.iter().map(|header| pairs(&[*header]));
    let requests = lists.chain([too_many]).map(|headers| HttpRequest {
        headers,
        ..request()
    });
    all_are_denied(requests).await;
}

#[tokio::test]
async fn methods_paths_and_bodies_beyond_the_contract_are_denied() {
    let methods = ["PATCH", "CONNECT", "TRACE", "HEAD", "get", "", "GET /x"];
    let methods = methods.map(|method| HttpRequest {
        method: method.into(),
        ..request()
    });
    let paths = [
        &["a", ".."][..],
        &["."],
        &["a", "", "b"],
        &["a\r\nb"],
        &["\0"],
    ];
    let paths = paths.map(|path| HttpRequest {
        path: texts(path),
        ..request()
    });
    let body = HttpRequest {
        method: "PUT".into(),
        body: Some(vec![b' '; (1 << 20) + 1]),
        ..request()
    };
    all_are_denied(methods.into_iter().chain(paths).chain([body])).await;
}

#[tokio::test]
async fn a_body_of_a_mebibyte_arrives_whole() {
    let stub = Stub::content();
    let request = HttpRequest {
        method: "PUT".into(),
        body: Some(vec![b' '; 1 << 20]),
        ..request()
    };
    assert!(call(&to(&stub), request).await.is_ok());
    assert_eq!(stub.only().body.len(), 1 << 20);
}

fn matrix(client_api: ClientApi, stub: &Stub) -> Upstreams {
    let slots = ConcurrencyLimit::new(8, 8);
    upstreams(vec![Homeserver::configured(
        stub.url(),
        None,
        None,
        client_api,
        slots,
    )])
}

fn matrix_request() -> HttpRequest {
    HttpRequest {
        method: "PUT".into(),
        path: texts(&["_matrix", "client", "v3", "rooms", "!r:h/x%"]),
        query: pairs(&[("a", "b c")]),
        body: Some(b"{\"x\":1}".to_vec()),
        ..request()
    }
}

const UNRECOGNIZED: &str = r#"{"errcode":"M_UNRECOGNIZED","error":"no"}"#;
const V3: &str = "/_matrix/client/v3/rooms/!r:h%2Fx%25?a=b+c";
const R0: &str = "/_matrix/client/r0/rooms/!r:h%2Fx%25?a=b+c";

fn targets(stub: &Stub) -> Vec<String> {
    stub.received()
        .into_iter()
        .map(|received| received.target)
        .collect()
}

/// Knows r0 only.
fn old(received: &Received) -> Reaction {
    match received.target.contains("/r0/") {
        true => Reaction::Json(200, "{}".into()),
        false => Reaction::Json(404, UNRECOGNIZED.into()),
    }
}

#[tokio::test]
async fn an_old_homeserver_is_called_again_with_r0_and_remembered() {
    let stub = Stub::start(old);
    let upstreams = matrix(ClientApi::Auto, &stub);
    for _ in 0..2 {
        let response = call(&upstreams, matrix_request()).await;
        assert_eq!(response.map(|response| response.status).ok(), Some(200));
    }
    assert_eq!(targets(&stub), [V3, R0, R0]);
    assert!(
        stub.received()
            .iter()
            .all(|received| received.body == b"{\"x\":1}")
    );
}

#[tokio::test]
async fn a_homeserver_that_supports_neither_is_not_taken_for_an_old_one() {
    let stub = Stub::start(|_| Reaction::Json(404, UNRECOGNIZED.into()));
    let upstreams = matrix(ClientApi::Auto, &stub);
    for _ in 0..2 {
        let response = call(&upstreams, matrix_request()).await;
        assert_eq!(response.map(|response| response.status).ok(), Some(404));
    }
    assert_eq!(targets(&stub), [V3, R0, V3, R0]);
}

#[tokio::test]
async fn other_errors_and_fixed_prefixes_are_not_tried_with_r0() {
    let stub = Stub::start(old);
    assert!(
        call(&matrix(ClientApi::V3, &stub), matrix_request())
            .await
            .is_ok()
    );
    assert_eq!(targets(&stub), [V3]);
    let stub = Stub::start(|_| Reaction::Json(404, r#"{"errcode":"M_NOT_FOUND"}"#.into()));
    assert!(
        call(&matrix(ClientApi::Auto, &stub), matrix_request())
            .await
            .is_ok()
    );
    assert_eq!(targets(&stub), [V3]);
    let stub = Stub::start(old);
    assert!(
        call(&matrix(ClientApi::R0, &stub), matrix_request())
            .await
            .is_ok()
    );
    assert_eq!(targets(&stub), [R0]);
}
