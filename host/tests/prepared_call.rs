//! A call between its rule and its homeserver: a value that can be stored and sent again.

use std::time::Duration;

use contract::{Call, HeaderGrants, HttpRequest};
use homeserver::{Caller, PreparedCall, Upstreams};
use tokio::time::Instant;

use crate::http_call::{device, failure, homeserver, request, token, upstreams};
use crate::stub::{Received, Stub};

/// A token that appears in nothing else.
const TOKEN: &str = "syt_hidden";

fn caller() -> Caller {
    Caller {
        token: Some(token(TOKEN)),
        ..device()
    }
}

fn prepare(upstreams: &Upstreams) -> PreparedCall {
    let request = HttpRequest {
        credential: "device".into(),
        method: "PUT".into(),
        path: vec!["rooms".into(), "!r:h/x%".into()],
        query: vec![("a".into(), "b c".into())],
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some(b"{\"x\":1}".to_vec()),
        ..request()
    };
    let call = Call::check(request, &HeaderGrants::default()).expect("the contract allows it");
    upstreams
        .prepare(&caller(), call)
        .expect("it has a homeserver")
}

async fn send(upstreams: &Upstreams, call: &PreparedCall) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let outcome = upstreams.send(&caller(), call, deadline).await;
    assert_eq!(outcome.map(|response| response.status).ok(), Some(200));
}

fn parts(received: &Received) -> (String, Option<String>, Option<String>, Vec<u8>) {
    let header = |name| received.header(name).map(str::to_owned);
    let (authorization, content_type) = (header("authorization"), header("content-type"));
    (
        received.target.clone(),
        authorization,
        content_type,
        received.body.clone(),
    )
}

#[tokio::test]
async fn a_stored_call_has_no_token_and_is_sent_again_as_the_same_request() {
    let stub = Stub::content();
    let upstreams = upstreams(vec![homeserver(stub.url(), None)]);
    let call = prepare(&upstreams);
    send(&upstreams, &call).await;
    let stored = serde_json::to_string(&call).expect("it is a value");
    assert!(!stored.contains(TOKEN), "{stored}");
    let restored: PreparedCall = serde_json::from_str(&stored).expect("it was stored");
    assert_eq!(restored, call);
    send(&upstreams, &restored).await;
    let received = stub.received();
    assert_eq!(received.len(), 2);
    assert_eq!(parts(&received[0]), parts(&received[1]));
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(received[1].header("authorization"), Some(bearer.as_str()));
}

#[tokio::test]
async fn a_stored_call_goes_to_no_homeserver_but_its_own() {
    let (former, now) = (Stub::content(), Stub::content());
    let call = prepare(&upstreams(vec![homeserver(former.url(), None)]));
    let upstreams = upstreams(vec![homeserver(now.url(), Some("configured"))]);
    let deadline = Instant::now() + Duration::from_secs(20);
    let outcome = upstreams.send(&caller(), &call, deadline).await;
    assert_eq!(failure(outcome), ("denied".into(), false));
    assert_eq!((former.connections(), now.connections()), (0, 0));
}

#[test]
fn an_altered_call_is_not_restored_if_the_contract_does_not_allow_it() {
    let stub = Stub::content();
    let upstreams = upstreams(vec![homeserver(stub.url(), None)]);
    let stored = serde_json::to_string(&prepare(&upstreams)).expect("it is a value");
    for (part, altered) in [
        ("\"rooms\"", "\"..\""),
        ("content-type", "cookie"),
        ("\"PUT\"", "\"PATCH\""),
        ("\"device\"", "\"all\""),
    ] {
        let altered = stored.replace(part, altered);
        assert_ne!(altered, stored);
        assert!(
            serde_json::from_str::<PreparedCall>(&altered).is_err(),
            "{altered}"
        );
    }
}
