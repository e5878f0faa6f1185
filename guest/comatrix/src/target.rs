//! What a Proxy-Uri names after its origin: an endpoint of the Matrix client-server API, by its full path or by the
//! one-character code of MSC3079.

use comatrix_sdk::bindings::{Context, Target};

use crate::refusal::Refusal;

/// An endpoint that a resource of this rule translates, with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// `POST …/register`.
    Register,
    /// `POST …/login`.
    Login,
    /// `POST …/logout`.
    Logout,
    /// `POST …/logout/all`.
    LogoutAll,
    /// `POST …/rooms/{room}/join` and `POST …/join/{room}`.
    Join {
        /// A room id or an alias.
        room: &'a str,
    },
    /// `PUT …/rooms/{room}/send/{event_type}/{txn}`.
    Send {
        /// A room id.
        room: &'a str,
        /// Such as `m.room.message`.
        event_type: &'a str,
        /// The transaction id.
        txn: &'a str,
    },
    /// `GET …/rooms/{room}/messages`.
    Messages {
        /// A room id.
        room: &'a str,
    },
    /// None of these.
    Other,
}

impl Endpoint<'_> {
    /// The endpoint that the request's Proxy-Uri names; none without a Proxy-Uri. A query is not looked at: each
    /// resource makes its own.
    pub fn of(context: &Context) -> Option<Endpoint<'_>> {
        context.requested.as_ref().map(endpoint)
    }
}

fn endpoint(target: &Target) -> Endpoint<'_> {
    let path: Vec<&str> = target.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["_matrix", "client", "r0" | "v1" | "v3", full @ ..] => match *full {
            ["register"] => Endpoint::Register,
            ["login"] => Endpoint::Login,
            ["logout"] => Endpoint::Logout,
            ["logout", "all"] => Endpoint::LogoutAll,
            ["rooms", room, "join"] | ["join", room] => Endpoint::Join { room },
            ["rooms", room, "send", event_type, txn] => Endpoint::Send {
                room,
                event_type,
                txn,
            },
            ["rooms", room, "messages"] => Endpoint::Messages { room },
            _ => Endpoint::Other,
        },
        ["4"] => Endpoint::Register,
        ["1"] => Endpoint::Login,
        ["3"] => Endpoint::Logout,
        ["K" | "L", room] => Endpoint::Join { room },
        ["9", room, event_type, txn] => Endpoint::Send {
            room,
            event_type,
            txn,
        },
        ["E", room] => Endpoint::Messages { room },
        _ => Endpoint::Other,
    }
}

/// The Proxy-Uri does not name what the resource in the Uri-Path translates; `form` is what would.
pub fn mismatch(form: &str) -> Refusal {
    Refusal::bad_request(format!(
        "Proxy-Uri: this resource takes <origin>{form}, or the full path of that endpoint"
    ))
}

/// What Proxy-Uri and Uri-Path both may name; if both do, they must agree.
pub fn agreed<'a>(
    what: &str,
    proxy_uri: Option<&'a str>,
    uri_path: Option<&'a str>,
) -> Result<Option<&'a str>, Refusal> {
    match (proxy_uri, uri_path) {
        (Some(one), Some(other)) if one != other => Err(Refusal::bad_request(format!(
            "Proxy-Uri and Uri-Path name different {what}s; leave one of them out"
        ))),
        _ => Ok(proxy_uri.or(uri_path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Target {
        Target {
            path: path.split_terminator('/').map(str::to_owned).collect(),
            query: vec![],
        }
    }

    #[test]
    fn short_and_full_forms_name_the_same_endpoints() {
        for prefix in [
            "_matrix/client/r0",
            "_matrix/client/v1",
            "_matrix/client/v3",
        ] {
            for (short, full) in [
                ("4", "register"),
                ("1", "login"),
                ("3", "logout"),
                ("K/!r:h", "rooms/!r:h/join"),
                ("L/#a:h", "join/#a:h"),
                (
                    "9/!r:h/m.room.message/7",
                    "rooms/!r:h/send/m.room.message/7",
                ),
                ("E/!r:h", "rooms/!r:h/messages"),
            ] {
                let short = target(short);
                assert_ne!(endpoint(&short), Endpoint::Other);
                assert_eq!(
                    endpoint(&short),
                    endpoint(&target(&format!("{prefix}/{full}")))
                );
            }
        }
    }

    #[test]
    fn other_paths_name_nothing() {
        let others = "|4/x|9/!r:h|9/!r:h/m.room.message|E|K|_matrix/client/r0|_matrix/client/v2/login|7|login|_matrix/client/r0/sync";
        for path in others.split('|') {
            assert_eq!(endpoint(&target(path)), Endpoint::Other, "{path}");
        }
    }

    #[test]
    fn two_names_of_one_thing_must_agree() {
        assert_eq!(agreed("room", Some("!a"), None), Ok(Some("!a")));
        assert_eq!(agreed("room", None, Some("!a")), Ok(Some("!a")));
        assert_eq!(agreed("room", Some("!a"), Some("!a")), Ok(Some("!a")));
        assert_eq!(agreed("room", None, None), Ok(None));
        assert!(agreed("room", Some("!a"), Some("!b")).is_err());
    }
}
