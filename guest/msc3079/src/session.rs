//! Access tokens: who needs one, and those that the homeserver gives out.

use comatrix_sdk::bindings::{HttpResponse, SessionChange};
use comatrix_sdk::code;
use comatrix_sdk::homeserver_json::text_member;

use crate::plan::Kind;

/// Bytes of an access token; the specification has no bound, and homeservers' tokens have up to about 1,000.
const MAX_TOKEN: usize = 4096;

/// Whether a call may do without a token: the device's one is used if it has one, since some homeservers want it. For
/// any other call the device hears that it has none, and the homeserver is not asked.
pub fn goes_without_token(path: &[String], method: u8) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let is_get = method == code::GET;
    match path.as_slice() {
        ["_matrix", "media", ..] | ["_matrix", "client", _, "media", ..] => is_get,
        ["_matrix", "client", _, rest @ ..] => match rest {
            ["login" | "register" | "publicRooms" | "refresh"] => true,
            ["register", ..] | ["account", .., "requestToken"] | ["auth", ..] => true,
            ["account", "password"] => true,
            ["login", "sso", ..] | ["profile", ..] | ["directory", ..] => is_get,
            ["auth_metadata" | "auth_issuer"] => is_get,
            _ => false,
        },
        _ => false,
    }
}

/// How a success changes the device's session, so that a device on a secured transport may leave its token away.
pub fn change(kind: Kind, response: &HttpResponse) -> Option<SessionChange> {
    match kind {
        Kind::Login => {
            // A registration without a login has none.
            let token = text_member(&response.body, "access_token", MAX_TOKEN).ok()?;
            Some(SessionChange::Open(token))
        }
        Kind::Logout => Some(SessionChange::Close),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_need_no_account_go_without_a_token() {
        for (method, path, expected) in [
            (code::POST, "client/r0/login", true),
            (code::GET, "client/r0/register/available", true),
            (code::GET, "client/v3/profile/@u:h/displayname", true),
            (code::PUT, "client/v3/profile/@u:h/displayname", false),
            (code::GET, "client/v3/directory/room/#a:h", true),
            (code::PUT, "client/v3/directory/room/#a:h", false),
            (code::GET, "media/v3/download/h/id", true),
            (code::POST, "media/v3/upload", false),
            (code::GET, "client/v3/sync", false),
            (code::POST, "client/v3/logout", false),
        ] {
            let path: Vec<String> = ["_matrix"]
                .into_iter()
                .chain(path.split('/'))
                .map(str::to_owned)
                .collect();
            assert_eq!(goes_without_token(&path, method), expected, "{path:?}");
        }
    }
}
