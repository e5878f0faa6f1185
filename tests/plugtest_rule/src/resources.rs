//! The response of each resource.

use comatrix_sdk::bindings::{
    CallError, CoapOption, Effect, Failure, HttpRequest, HttpResponse, Message, Step, Upstream,
};
use comatrix_sdk::code::{CHANGED, CONTENT, CREATED, DELETE, DELETED, GATEWAY_TIMEOUT, GET, POST};
use comatrix_sdk::message::{ACCEPT, failure, reply, response, uint_option};

use crate::links::{JSON, LINK_FORMAT, SLOW, TEXT};

/// ETag (RFC 7252 §5.10.6).
const ETAG: u16 = 4;
/// Location-Path (RFC 7252 §5.10.7).
const LOCATION_PATH: u16 = 8;
/// Uri-Query (RFC 7252 §5.10.1).
const URI_QUERY: u16 = 15;
/// Location-Query (RFC 7252 §5.10.7).
const LOCATION_QUERY: u16 = 20;

/// Bytes of `/large`: two blocks of 1,024 bytes, like the list's own server.
pub const LARGE: usize = 1_700;

/// The response of the resource with this path, or the call that it waits for.
pub fn begin(resource: &str, request: &Message) -> Result<Effect, Failure> {
    let text = |text: &str| response(CONTENT, Some(TEXT), None, text.into());
    let message = match resource {
        "test" => match request.code {
            GET => text("a test"),
            DELETE => response(DELETED, None, None, Vec::new()),
            POST => with(
                response(CREATED, None, None, Vec::new()),
                LOCATION_PATH,
                &["location1", "location2", "location3"],
            ),
            _ => response(CHANGED, None, None, Vec::new()),
        },
        "location-query" => with(
            response(CREATED, None, None, Vec::new()),
            LOCATION_QUERY,
            &["first=1", "second=2"],
        ),
        "query" => text(&queries(request).join("&")),
        "multi-format" if uint_option(&request.options, ACCEPT) == Some(JSON.into()) => {
            response(CONTENT, Some(JSON), None, br#"{"a":"test"}"#.to_vec())
        }
        "validate" => with(text("it does not change"), ETAG, &["v1"]),
        "separate" => return Ok(Effect::Call(wait())),
        "large" => text(&large()),
        "large-update" => response(CHANGED, None, None, Vec::new()),
        "large-create" => with(
            response(CREATED, None, None, Vec::new()),
            LOCATION_PATH,
            &["large-create", "1"],
        ),
        "large-post" => response(CHANGED, Some(TEXT), None, request.payload.clone()),
        "path" => response(
            CONTENT,
            Some(LINK_FORMAT),
            None,
            b"</plugtest/path/sub1>;ct=0,</plugtest/path/sub2>;ct=0".to_vec(),
        ),
        other => text(other),
    };
    Ok(reply(message))
}

/// The response of `/separate`.
pub fn resume(outcome: Result<HttpResponse, CallError>) -> Result<Effect, Failure> {
    match outcome {
        Ok(upstream) => Ok(reply(response(CONTENT, Some(TEXT), None, upstream.body))),
        Err(error) => Err(failure(GATEWAY_TIMEOUT, error.reason)),
    }
}

fn wait() -> Step {
    Step {
        request: HttpRequest {
            upstream: Upstream::Standard,
            credential: "none".to_owned(),
            method: "GET".to_owned(),
            path: SLOW.map(str::to_owned).into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            hold_ms: 0,
        },
        state: Vec::new(),
    }
}

fn queries(request: &Message) -> Vec<String> {
    let options = request
        .options
        .iter()
        .filter(|option| option.number == URI_QUERY);
    options
        .map(|option| String::from_utf8_lossy(&option.value).into_owned())
        .collect()
}

fn large() -> String {
    let mut text: String = (0..LARGE).map(|number| format!("{number} ")).collect();
    text.truncate(LARGE);
    text
}

fn with(mut message: Message, number: u16, values: &[&str]) -> Message {
    let values = values.iter().map(|value| CoapOption {
        number,
        value: value.as_bytes().to_vec(),
    });
    message.options.extend(values);
    message.options.sort_by_key(|option| option.number);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links;

    #[test]
    fn every_resource_responds_to_every_method_that_it_has() {
        let description = links::description();
        for (index, link) in (0..).zip(&description.links) {
            for method in &link.methods {
                let request = response(*method, None, None, Vec::new());
                let effect = begin(links::resource(index), &request);
                assert!(
                    effect.is_ok(),
                    "{} {method}: {effect:?}",
                    links::resource(index)
                );
            }
        }
    }
}
