//! The Proxy-Uri that names the homeserver and the Matrix endpoint, in the short codes of MSC3079 or in full.

use url::Url;

use super::usage::UsageError;

/// RFC 7252 §5.10: the longest Proxy-Uri.
const MAX_PROXY_URI: usize = 1_034;

/// The homeserver in a device's request.
#[derive(Clone, Debug)]
pub(super) struct Homeserver {
    origin: Url,
    full: bool,
}

/// An endpoint of the Matrix client-server API.
#[derive(Clone, Copy, Debug)]
pub(super) enum Endpoint<'a> {
    /// `POST /register`
    Register,
    /// `POST /login`
    Login,
    /// `POST /logout`
    Logout,
    /// `POST /logout/all`, which has no MSC3079 code.
    LogoutAll,
    /// `POST /rooms/{roomId}/join`
    Join { room: &'a str },
    /// `PUT /rooms/{roomId}/send/m.room.message/{txnId}`
    Send { room: &'a str, txn_id: &'a str },
    /// `GET /rooms/{roomId}/messages`, the last one only.
    Messages { room: &'a str },
}

impl Homeserver {
    /// Checks `--homeserver`: http or https, a host, an optional port, and nothing else.
    pub(super) fn parse(text: &str, full: bool) -> Result<Self, UsageError> {
        let refuse = |reason| UsageError::Homeserver {
            text: text.to_owned(),
            reason,
        };
        let origin = Url::parse(text).map_err(|_| refuse("it is not a URL"))?;
        if !matches!(origin.scheme(), "http" | "https") {
            return Err(refuse("its scheme is neither http nor https"));
        }
        if !origin.username().is_empty() || origin.password().is_some() {
            return Err(refuse(
                "it has user information, which a device must not send",
            ));
        }
        if origin.path() != "/" || origin.query().is_some() || origin.fragment().is_some() {
            return Err(refuse("it has more than scheme, host and port"));
        }
        Ok(Self { origin, full })
    }

    /// The Proxy-Uri of an endpoint; room and transaction ids are percent-encoded.
    pub(super) fn proxy_uri(&self, endpoint: Endpoint<'_>) -> Result<String, UsageError> {
        let short = !self.full && !matches!(endpoint, Endpoint::LogoutAll);
        let mut url = self.origin.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear();
            if short {
                path.extend(short_segments(endpoint));
            } else {
                path.extend(["_matrix", "client", "r0"])
                    .extend(full_segments(endpoint));
            }
        }
        if let (Endpoint::Messages { .. }, false) = (endpoint, short) {
            url.set_query(Some("dir=b&limit=1"));
        }
        let uri = String::from(url);
        if uri.len() > MAX_PROXY_URI {
            return Err(UsageError::ProxyUriLength {
                length: uri.len(),
                limit: MAX_PROXY_URI,
            });
        }
        Ok(uri)
    }
}

fn short_segments(endpoint: Endpoint<'_>) -> Vec<&str> {
    match endpoint {
        Endpoint::Login => vec!["1"],
        Endpoint::Logout | Endpoint::LogoutAll => vec!["3"],
        Endpoint::Register => vec!["4"],
        Endpoint::Send { room, txn_id } => vec!["9", room, "m.room.message", txn_id],
        Endpoint::Messages { room } => vec!["E", room],
        Endpoint::Join { room } => vec!["K", room],
    }
}

fn full_segments(endpoint: Endpoint<'_>) -> Vec<&str> {
    match endpoint {
        Endpoint::Login => vec!["login"],
        Endpoint::Logout => vec!["logout"],
        Endpoint::LogoutAll => vec!["logout", "all"],
        Endpoint::Register => vec!["register"],
        Endpoint::Send { room, txn_id } => vec!["rooms", room, "send", "m.room.message", txn_id],
        Endpoint::Messages { room } => vec!["rooms", room, "messages"],
        Endpoint::Join { room } => vec!["rooms", room, "join"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_short_and_its_full_form() {
        let room = "!r:h";
        let cases = [
            (Endpoint::Register, "/4", "/register"),
            (Endpoint::Login, "/1", "/login"),
            (Endpoint::Logout, "/3", "/logout"),
            (
                Endpoint::LogoutAll,
                "/_matrix/client/r0/logout/all",
                "/logout/all",
            ),
            (Endpoint::Join { room }, "/K/!r:h", "/rooms/!r:h/join"),
            (
                Endpoint::Send { room, txn_id: "t1" },
                "/9/!r:h/m.room.message/t1",
                "/rooms/!r:h/send/m.room.message/t1",
            ),
            (
                Endpoint::Messages { room },
                "/E/!r:h",
                "/rooms/!r:h/messages?dir=b&limit=1",
            ),
        ];
        for (endpoint, short, full) in cases {
            let uri = |full| {
                Homeserver::parse("http://localhost:8008/", full)
                    .and_then(|server| server.proxy_uri(endpoint))
                    .expect("valid")
            };
            assert_eq!(uri(false), format!("http://localhost:8008{short}"));
            assert_eq!(
                uri(true),
                format!("http://localhost:8008/_matrix/client/r0{full}")
            );
        }
    }

    #[test]
    fn characters_that_would_change_the_path_are_percent_encoded() {
        let server = Homeserver::parse("https://matrix.org", false).expect("valid");
        let uri = |room| server.proxy_uri(Endpoint::Join { room }).expect("valid");
        assert_eq!(uri("#alias:server"), "https://matrix.org/K/%23alias:server");
        assert_eq!(uri("!a/b?c%d:s"), "https://matrix.org/K/!a%2Fb%3Fc%25d:s");
        assert_eq!(uri("#küche:s"), "https://matrix.org/K/%23k%C3%BCche:s");
    }

    #[test]
    fn text_that_is_not_an_origin_is_refused_with_the_reason() {
        for (text, reason) in [
            ("localhost:8008", "scheme"),
            ("no url", "not a URL"),
            ("ftp://h", "scheme"),
            ("http://user@h", "user information"),
            ("http://h/_matrix", "more than"),
            ("http://h/?q", "more than"),
        ] {
            let error = Homeserver::parse(text, false).expect_err(text).to_string();
            assert!(
                error.contains(reason) && error.contains("https://"),
                "{error}"
            );
        }
        let server = Homeserver::parse("http://h", true).expect("valid");
        assert!(
            server
                .proxy_uri(Endpoint::Join {
                    room: &"r".repeat(1_100)
                })
                .is_err()
        );
    }
}
