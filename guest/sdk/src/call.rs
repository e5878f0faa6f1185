//! Calls to the homeserver.

use crate::bindings::{Context, Effect, HttpRequest, Step, Upstream};

/// The client-server API in its current spelling; the gateway respells it for older homeservers.
pub const CLIENT_API: [&str; 3] = ["_matrix", "client", "v3"];

/// A call of `path` below [`CLIENT_API`], to the homeserver that the device named, else to the default one. `body` is
/// JSON.
pub fn call(
    context: &Context,
    credential: &str,
    method: &str,
    path: &[&str],
    body: Option<Vec<u8>>,
) -> HttpRequest {
    let upstream = match context.requested {
        Some(_) => Upstream::Requested,
        None => Upstream::Standard,
    };
    call_of(upstream, credential, method, path, body)
}

/// The same where no exchange says which homeserver is meant.
pub fn call_of(
    upstream: Upstream,
    credential: &str,
    method: &str,
    path: &[&str],
    body: Option<Vec<u8>>,
) -> HttpRequest {
    HttpRequest {
        upstream,
        credential: credential.to_owned(),
        method: method.to_owned(),
        path: CLIENT_API
            .iter()
            .chain(path)
            .map(|segment| (*segment).to_owned())
            .collect(),
        query: Vec::new(),
        headers: headers(body.is_some()),
        body,
        hold_ms: 0,
    }
}

/// The headers of a call: JSON is accepted, and sent if it has a body.
pub(crate) fn headers(has_body: bool) -> Vec<(String, String)> {
    let json = |name: &str| (name.to_owned(), "application/json".to_owned());
    match has_body {
        true => vec![json("accept"), json("content-type")],
        false => vec![json("accept")],
    }
}

/// The effect that makes the call and resumes with `state`.
pub fn then(request: HttpRequest, state: Vec<u8>) -> Effect {
    Effect::Call(Step { request, state })
}
