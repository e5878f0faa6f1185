//! `/sync` with Observe (RFC 7641): one long poll for one device, whose position moves only when the device has
//! acknowledged what it got.

use comatrix_sdk::bindings::{Context, Failure, FeedProgress, HttpRequest, HttpResponse, Watch};
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::homeserver_error::retry_seconds;
use comatrix_sdk::homeserver_json::text_member;
use comatrix_sdk::payload::Format;
use comatrix_sdk::settings::Settings;
use comatrix_sdk::text::decimal;
use comatrix_sdk::{code, message};

use crate::answer::{Unusable, content, error};
use crate::plan::{Form, Plan};
use crate::progress::{Position, has_news};
use crate::settings::answer_bytes;
use crate::{links, path, request, status};

/// Milliseconds that a homeserver holds a poll: Synapse's clients ask for as long. After each one the gateway can give
/// the connection to another device.
const POLL_MS: u32 = 30_000;

/// Bytes of a position. Synapse's have about a hundred.
const MAX_SINCE: usize = 1024;

/// The fact by which the gateway asks for a message of any content (`feed.polled` of the contract).
const REFRESH: &str = "refresh";

/// The watch that an observation begins with: from the end of its first response on.
pub fn watch(plan: &Plan, response: &HttpResponse) -> Result<Watch, ErrorResponse> {
    let query = plan.query.iter();
    let query = query.filter(|(name, _)| name != "since" && name != "full_state");
    let position = Position {
        form: plan.form,
        since: text_member(&response.body, "next_batch", MAX_SINCE)?,
        query: query.cloned().collect(),
        counts: has_news(&response.body, 0).counts,
    };
    Ok(Watch {
        share: String::new(),
        topic: String::new(),
        state: position.encode()?,
        shown: None,
    })
}

/// A sync that no device could take: what would make it smaller.
pub fn too_large() -> ErrorResponse {
    ErrorResponse::new(
        code::REQUEST_ENTITY_TOO_LARGE,
        r#"send filter={"room":{"timeline":{"limit":1}}}, rooms too if need be: the sync is too large"#,
    )
}

/// The contract's `feed.poll`.
pub fn poll(context: &Context, state: &[u8]) -> Result<HttpRequest, Failure> {
    let request = || {
        let position = Position::decode(state)?;
        let path = path::at_homeserver(&links::uri_path(context))?;
        let mut query = position.query;
        query.push(("since".to_owned(), position.since));
        query.push(("timeout".to_owned(), decimal(POLL_MS)));
        Ok(HttpRequest {
            hold_ms: POLL_MS,
            ..request::http(request::DEVICE, code::GET, path, query, None, "")
        })
    };
    request().map_err(ErrorResponse::into_failure)
}

/// The contract's `feed.polled`.
pub fn polled(
    settings: &dyn Settings,
    context: &Context,
    state: &[u8],
    response: &HttpResponse,
) -> Result<FeedProgress, Failure> {
    let progress = || {
        let position = Position::decode(state)?;
        let most = answer_bytes(settings);
        if !matches!(response.status, 200..=299) {
            return Err(refused(position, response, most));
        }
        let news = has_news(&response.body, position.counts);
        let is_refresh = context.facts.iter().any(|(name, _)| name == REFRESH);
        let mut message = None;
        if news.is_some || is_refresh {
            let content = content(position.form, response, most);
            let (format, payload) = content.map_err(|error| match error {
                Unusable::TooLarge => too_large(),
                error => error.response(response, most),
            })?;
            message = Some(message::response(code::CONTENT, format, None, payload));
        }
        let position = Position {
            since: text_member(&response.body, "next_batch", MAX_SINCE)?,
            counts: news.counts,
            ..position
        };
        Ok(FeedProgress {
            state: position.encode()?,
            message,
        })
    };
    progress().map_err(ErrorResponse::into_failure)
}

/// The end of a feed, or a poll that is made again, by the code.
fn refused(position: Position, response: &HttpResponse, most: usize) -> ErrorResponse {
    let json = Form {
        format: Format::Json,
        ..position.form
    };
    // No representation goes with the failure of a feed: the error's JSON is its diagnostic.
    let refused = match error(json, response, most) {
        Ok(message) => {
            let text = String::from_utf8_lossy(&message.payload).into_owned();
            ErrorResponse::new(status::code(response.status), text)
        }
        Err(refused) => refused,
    };
    match status::has_max_age(response.status) {
        true => refused.retry_after(retry_seconds(response)),
        false => refused,
    }
}
