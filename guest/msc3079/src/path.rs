//! From a device's Uri-Path to the path at the homeserver.

use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::text::concat;

use crate::tables::{Segment, path};

/// The path at the homeserver: that of a code with its parameters filled in from the segments after it, of which
/// surplus ones are dropped, or the device's own if it begins with no code. The gateway percent-encodes the segments.
///
/// Only the Client-Server API is served; the answer to anything else is 4.04. A code with too few segments gets 4.00
/// with the name of the first missing one.
pub fn at_homeserver(segments: &[String]) -> Result<Vec<String>, ErrorResponse> {
    let (first, rest) = match segments.split_first() {
        Some((first, rest)) => (first.as_str(), rest),
        None => ("", segments),
    };
    match path(first) {
        Some(pattern) => filled(first, pattern, rest),
        None if is_served(segments) => Ok(segments.to_vec()),
        None => Err(ErrorResponse::not_found(
            "send a path code of MSC3079 or a path below /_matrix/client",
        )),
    }
}

/// `/_matrix/client/…` and `/_matrix/media/…`: nothing else of a homeserver is for its users.
fn is_served(path: &[String]) -> bool {
    match path {
        [matrix, api, _, ..] => matrix == "_matrix" && (api == "client" || api == "media"),
        _ => false,
    }
}

fn filled(
    code: &str,
    pattern: &[Segment],
    parameters: &[String],
) -> Result<Vec<String>, ErrorResponse> {
    let mut parameters = parameters.iter();
    let mut path = Vec::with_capacity(pattern.len());
    for (index, segment) in pattern.iter().enumerate() {
        match segment {
            Segment::Literal(text) => path.push((*text).to_owned()),
            Segment::Parameter(name) => {
                // Only the last segment of a path can be empty, as the key of most room states is.
                let is_last = index + 1 == pattern.len();
                let parameter = parameters.next();
                match parameter.filter(|parameter| is_last || !parameter.is_empty()) {
                    Some(parameter) => path.push(parameter.clone()),
                    None => return Err(missing(code, name)),
                }
            }
        }
    }
    Ok(path)
}

#[inline(never)]
fn missing(code: &str, name: &str) -> ErrorResponse {
    ErrorResponse::bad_request(concat(&[
        "path code ",
        code,
        ": the segment for ",
        name,
        " is missing",
    ]))
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::code;
    use comatrix_sdk::error_response::Content;

    use super::*;

    fn to_http(path: &str) -> Result<String, ErrorResponse> {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        at_homeserver(&segments)
            .map(|path| path.iter().map(|segment| format!("/{segment}")).collect())
    }

    #[test]
    fn a_code_stands_for_its_path_with_its_parameters() {
        for (coap, http) in [
            ("/0", "/_matrix/client/versions"),
            ("/7", "/_matrix/client/r0/sync"),
            (
                "/9/!r:h/m.room.message/1",
                "/_matrix/client/r0/rooms/!r:h/send/m.room.message/1",
            ),
            ("/n", "/_matrix/client/r0/pushrules/"),
            (
                "/8/!r:h/m.room.name/",
                "/_matrix/client/r0/rooms/!r:h/state/m.room.name/",
            ),
            ("/7/extra/information", "/_matrix/client/r0/sync"),
            ("/e/deviceid/andmore", "/_matrix/client/r0/devices/deviceid"),
        ] {
            assert_eq!(to_http(coap).as_deref(), Ok(http), "{coap}");
        }
    }

    #[test]
    fn full_paths_of_the_client_server_api_pass_as_they_are() {
        for path in [
            "/_matrix/client/versions",
            "/_matrix/client/v3/rooms/!r:h/state/m.room.name/",
            "/_matrix/media/v3/upload",
        ] {
            assert_eq!(to_http(path).as_deref(), Ok(path));
        }
    }

    #[test]
    fn anything_else_is_4_04() {
        for path in [
            "/AAA",
            "/v",
            "/_matrix",
            "/_matrix/client",
            "/_matrix/federation/v1/version",
            "/_synapse/admin/v1/users",
            "",
        ] {
            let error = to_http(path).expect_err(path);
            assert_eq!(error.code, code::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn the_first_missing_parameter_is_named() {
        for (path, name) in [
            ("/9", "roomId"),
            ("/9/!r:h", "eventType"),
            ("/9/!r:h/m.room.message", "txnId"),
            ("/9/!r:h//1", "eventType"),
            ("/5/", "userId"),
            ("/8/!r:h/m.room.name", "stateKey"),
        ] {
            let error = to_http(path).expect_err(path);
            assert_eq!(error.code, code::BAD_REQUEST, "{path}");
            let expected = format!(
                "path code {}: the segment for {name} is missing",
                &path[1..2]
            );
            assert_eq!(error.content, Content::Diagnostic(expected));
        }
    }
}
