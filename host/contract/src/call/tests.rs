use super::*;

fn request() -> HttpRequest {
    HttpRequest {
        upstream: Upstream::Standard,
        credential: "device".into(),
        method: "PUT".into(),
        path: vec!["rooms".into(), "!a/b:c".into()],
        query: vec![("a b".into(), "c&d".into())],
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some(b"{}".to_vec()),
        hold_ms: 7,
    }
}

fn fault(request: HttpRequest) -> CallFault {
    Call::check(request, &HeaderGrants::default()).expect_err("the contract does not allow it")
}

#[test]
fn each_part_that_the_contract_does_not_allow_is_named() {
    let method = HttpRequest {
        method: "get".into(),
        ..request()
    };
    let credential = HttpRequest {
        credential: "all".into(),
        ..request()
    };
    let path = HttpRequest {
        path: vec!["a".into(), "..".into()],
        ..request()
    };
    let header = |name: &str, value: &str| HttpRequest {
        headers: vec![(name.into(), value.into())],
        ..request()
    };
    let headers = HttpRequest {
        headers: vec![("accept".into(), "b".into()); MAX_HEADERS + 1],
        ..request()
    };
    let body = HttpRequest {
        body: Some(vec![0; MAX_BODY + 1]),
        ..request()
    };
    assert_eq!(fault(method), CallFault::Method);
    assert_eq!(fault(credential), CallFault::Credential);
    assert_eq!(fault(path), CallFault::Path);
    assert_eq!(fault(header("host", "a")), CallFault::HeaderName);
    assert_eq!(
        fault(header("x-client-ip", "a")),
        CallFault::HeaderNotGranted
    );
    assert_eq!(fault(header("accept", "b\r\nc")), CallFault::HeaderValue);
    assert_eq!(fault(headers), CallFault::Headers);
    assert_eq!(fault(body), CallFault::Body);
}

#[test]
fn the_body_is_shared_and_not_copied() {
    let body = vec![b' '; 1000];
    let address = body.as_ptr();
    let request = HttpRequest {
        body: Some(body),
        ..request()
    };
    let call = Call::check(request, &HeaderGrants::default()).expect("the contract allows it");
    let copy = call.request.clone();
    assert_eq!(copy.body().map(|body| body.as_ptr()), Some(address));
}

#[test]
fn a_granted_header_passes_and_a_stored_request_with_it_is_read_again() {
    let request = HttpRequest {
        headers: vec![("x-tenant".into(), "meadow".into())],
        ..request()
    };
    let grants = HeaderGrants::new(vec!["x-tenant".into()]).expect("it can be granted");
    let call = Call::check(request, &grants).expect("the operator grants it");
    assert_eq!(
        call.request.headers(),
        [("x-tenant".into(), "meadow".into())]
    );
}
