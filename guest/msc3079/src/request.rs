//! A device's request, as the call that it stands for.

use comatrix_sdk::bindings::{Context, Effect, Failure, HttpRequest, Message, Upstream};
use comatrix_sdk::call::then;
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::message::ACCEPT;
use comatrix_sdk::payload::Format;
use comatrix_sdk::{code, message};

use crate::formats::{self, Body};
use crate::plan::{Form, Kind, Plan};
use crate::{key_version, links, media, path, query, session};

/// The access token that the device has presented, or that of its session.
pub const DEVICE: &str = "device";
/// No token.
pub const NONE: &str = "none";

/// The contract's `begin`.
pub fn begin(context: &Context, request: &Message) -> Result<Effect, Failure> {
    call(context, request).or_else(ErrorResponse::into_effect)
}

fn call(context: &Context, request: &Message) -> Result<Effect, ErrorResponse> {
    let has_version = key_version::is_named(&request.options)?;
    let path = path::at_homeserver(&links::uri_path(context))?;
    let mut query = query::pairs(&request.options)?;
    let is_upload = media::is_upload(&path) && matches!(request.code, code::POST | code::PUT);
    let body = match is_upload {
        true => formats::media_body(request)?,
        false => formats::api_body(request)?,
    };
    let kind = kind(&path, request);
    let format = match kind {
        // Errors are not media.
        Kind::Media => Format::Cbor,
        _ => formats::accepted(request, body.format)?,
    };
    let hold_ms = match kind {
        Kind::Observed => {
            // The first answer is what there is now; what comes next is for the feed.
            query.retain(|(name, _)| name != "timeout");
            0
        }
        _ => query::hold_ms(&mut query),
    };
    let credential = match kind {
        Kind::Login | Kind::Versions => NONE,
        _ => DEVICE,
    };
    let goes_without_token =
        credential == DEVICE && session::goes_without_token(&path, request.code);
    let plan = Plan {
        kind,
        form: Form {
            format,
            has_integer_keys: has_version || body.has_integer_keys,
        },
        method: request.code,
        accept: message::uint_option(&request.options, ACCEPT),
        query: match goes_without_token || kind == Kind::Observed {
            true => query.clone(),
            false => Vec::new(),
        },
        again: goes_without_token.then(|| text(&body)),
    };
    let request = HttpRequest {
        hold_ms,
        ..http(
            credential,
            request.code,
            path,
            query,
            body.bytes,
            body.content_type,
        )
    };
    Ok(then(request, plan.encode()))
}

/// The call to a homeserver.
pub fn http(
    credential: &str,
    method: u8,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    content_type: &str,
) -> HttpRequest {
    let mut headers = Vec::new();
    if !media::is_download(&path) {
        headers.push(("accept".to_owned(), "application/json".to_owned()));
    }
    if body.is_some() {
        headers.push(("content-type".to_owned(), content_type.to_owned()));
    }
    HttpRequest {
        upstream: Upstream::Standard,
        credential: credential.to_owned(),
        method: links::method(method).to_owned(),
        path,
        query,
        headers,
        body,
        hold_ms: 0,
    }
}

fn kind(path: &[String], request: &Message) -> Kind {
    // Below /_matrix/client.
    let below: Vec<&str> = path.iter().skip(2).map(String::as_str).collect();
    match (request.code, below.as_slice()) {
        _ if media::is_download(path) => Kind::Media,
        (code::GET, ["versions"]) => Kind::Versions,
        (code::POST, [_, "login" | "register"]) => Kind::Login,
        (code::POST, [_, "logout"] | [_, "logout", "all"]) => Kind::Logout,
        (code::GET, [_, "sync"]) if message::observes(request) => Kind::Observed,
        _ => Kind::Api,
    }
}

fn text(body: &Body) -> Option<String> {
    let bytes = body.bytes.clone()?;
    String::from_utf8(bytes).ok()
}
