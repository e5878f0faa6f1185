//! The path of a Proxy-Uri: an endpoint of the Matrix client-server API, in one of the forms that a
//! route takes.

use super::path::{Captures, matched, name, parts};
use crate::bindings::Target;
use crate::call::CLIENT_API;
use crate::error_response::ErrorResponse;
use crate::text::concat;

/// The spellings of the client-server API that devices use. The gateway spells calls as the homeserver wants them.
const VERSIONS: [&str; 3] = ["r0", "v1", "v3"];

/// The form that a Proxy-Uri has, and its captures.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatrixRequest<'a> {
    pub(super) form: &'static str,
    captures: Captures<'a>,
}

impl<'a> MatrixRequest<'a> {
    /// The first of the forms that `target` has; the query is not looked at. An error names the first form.
    pub(super) fn find(
        forms: &'static [&'static str],
        target: &'a Target,
    ) -> Result<MatrixRequest<'a>, ErrorResponse> {
        let below_api = match target.path.as_slice() {
            [matrix, client, version, rest @ ..]
                if [matrix, client] == CLIENT_API[..2] && VERSIONS.contains(&version.as_str()) =>
            {
                Some(rest)
            }
            _ => None,
        };
        for form in forms {
            let path = match form.starts_with('/') {
                true => Some(target.path.as_slice()),
                false => below_api,
            };
            if let Some(captures) = path.and_then(|path| matched(form, path)) {
                return Ok(MatrixRequest { form, captures });
            }
        }
        Err(ErrorResponse::bad_request(mismatch(forms)))
    }

    /// The segment in the place of `{name}`.
    pub(super) fn capture(&self, name: &str) -> Option<&'a str> {
        let captures = self.captures();
        let found = captures.iter().find(|(captured, _)| *captured == name);
        found.map(|(_, segment)| *segment)
    }

    /// Names and segments.
    pub(super) fn captures(&self) -> &[(&'static str, &'a str)] {
        self.captures.all()
    }
}

/// The form as a pattern of the contract's `requested-paths`.
pub(super) fn pattern(form: &str) -> String {
    let mut text = String::new();
    if !form.starts_with('/') {
        // Any version: `find` names the right ones to a device with another.
        let [matrix, client, _] = CLIENT_API;
        text = concat(&["/", matrix, "/", client, "/*"]);
    }
    for part in parts(form) {
        text.push('/');
        text.push_str(match (part, name(part)) {
            (_, Some(_)) => "*",
            ("*", None) => "**",
            (literal, None) => literal,
        });
    }
    text
}

/// The first form is enough for a device, and fits its buffer.
fn mismatch(forms: &[&str]) -> String {
    let Some(form) = forms.first() else {
        return "Proxy-Uri: this resource does not take it; leave it out".to_owned();
    };
    let [matrix, client, version] = CLIENT_API;
    match form.starts_with('/') {
        true => concat(&["Proxy-Uri: send <origin>", form]),
        false => concat(&[
            "Proxy-Uri: send <origin>/",
            matrix,
            "/",
            client,
            "/",
            version,
            "/",
            form,
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: &[&str] = &[
        "/9/{room}/m.room.message/{txn}",
        "rooms/{room}/send/m.room.message/{txn}",
    ];

    fn target(path: &str) -> Target {
        Target {
            path: path.split_terminator('/').map(str::to_owned).collect(),
            query: vec![],
        }
    }

    #[test]
    fn short_and_full_forms_have_the_same_captures() {
        for path in [
            "9/!r:h/m.room.message/7",
            "_matrix/client/r0/rooms/!r:h/send/m.room.message/7",
            "_matrix/client/v1/rooms/!r:h/send/m.room.message/7",
            "_matrix/client/v3/rooms/!r:h/send/m.room.message/7",
        ] {
            let target = target(path);
            let found = MatrixRequest::find(FORMS, &target).expect("it is one of them");
            assert_eq!(
                (found.capture("room"), found.capture("txn")),
                (Some("!r:h"), Some("7"))
            );
            assert_eq!(found.captures(), [("room", "!r:h"), ("txn", "7")]);
        }
    }

    #[test]
    fn a_form_is_a_pattern_with_any_version() {
        assert_eq!(
            pattern("/9/{room}/m.room.message/{txn}"),
            "/9/*/m.room.message/*"
        );
        assert_eq!(pattern("login"), "/_matrix/client/*/login");
        assert_eq!(pattern("/*"), "/**");
    }

    #[test]
    fn another_path_is_refused_with_the_first_form() {
        for path in [
            "",
            "9/!r:h",
            "rooms/!r:h/send/m.room.message/7",
            "_matrix/client/v2/rooms/!r:h/send/m.room.message/7",
        ] {
            let error = MatrixRequest::find(FORMS, &target(path)).expect_err(path);
            let expected = "Proxy-Uri: send <origin>/9/{room}/m.room.message/{txn}";
            assert_eq!(error, ErrorResponse::bad_request(expected));
        }
    }
}
