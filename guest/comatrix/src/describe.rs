//! What the gateway is told about this rule: its resources and the calls that they make.

use comatrix_sdk::bindings::{Description, Link, Need, Segment};
use comatrix_sdk::code;
use comatrix_sdk::payload::{Format, TEXT_PLAIN};
use comatrix_sdk::settings::Settings;

use crate::call::CLIENT_API;
use crate::refusal::Errors;

/// The resources; one may have several links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// `/register`.
    Register,
    /// `/login`.
    Login,
    /// `/logout`.
    Logout,
    /// `/join`.
    Join,
    /// `/send`.
    Send,
    /// `/getmsg`.
    Getmsg,
    /// `/time`.
    Time,
}

use Resource::{Getmsg, Join, Login, Logout, Register, Send, Time};

/// Paths in the gateway's order of links; `{…}` stands for one segment.
const LINKS: &[(Resource, &[&str])] = &[
    (Register, &["register"]),
    (Login, &["login"]),
    (Logout, &["logout"]),
    (Join, &["join"]),
    (Join, &["join", "{room}"]),
    (Send, &["send"]),
    (Send, &["send", "{room}"]),
    (Send, &["send", "{room}", "{txn}"]),
    (Getmsg, &["getmsg"]),
    (Getmsg, &["getmsg", "{room}"]),
    (Time, &["time"]),
];

/// Credential, method and path below [`CLIENT_API`] of every call that the resources make.
const CALLS: &[(&str, &str, &[&str])] = &[
    ("none", "POST", &["register"]),
    ("none", "POST", &["login"]),
    ("device", "POST", &["logout"]),
    ("device", "POST", &["logout", "all"]),
    ("any", "POST", &["rooms", "{room}", "join"]),
    ("any", "POST", &["join", "{alias}"]),
    ("any", "GET", &["directory", "room", "{alias}"]),
    (
        "any",
        "PUT",
        &["rooms", "{room}", "send", "m.room.message", "{txn}"],
    ),
    ("any", "GET", &["rooms", "{room}", "messages"]),
    ("any", "GET", &["sync"]),
];

/// The resource that a link of the description belongs to.
pub fn resource(link: u16) -> Option<Resource> {
    LINKS.get(usize::from(link)).map(|(resource, _)| *resource)
}

/// The description, or what is wrong with the settings.
pub fn describe(settings: &dyn Settings) -> Result<Description, String> {
    Errors::parse(settings.get("errors"))?;
    let known = |key: &&str| *key == "errors" || key.starts_with("room.");
    if let Some(unknown) = settings.keys().into_iter().find(|key| !known(key)) {
        return Err(format!(
            "there is no setting {unknown}; this rule has errors, and names of rooms in [rooms]"
        ));
    }
    let mut needs = Vec::new();
    for upstream in ["standard", "requested"] {
        for (credential, method, path) in CALLS {
            needs.push(Need {
                upstream: upstream.to_owned(),
                credential: (*credential).to_owned(),
                methods: vec![(*method).to_owned()],
                path: segments(&[&CLIENT_API, *path].concat()),
            });
        }
    }
    Ok(Description {
        links: LINKS
            .iter()
            .map(|(resource, path)| link(*resource, path))
            .collect(),
        needs,
    })
}

fn segments(path: &[&str]) -> Vec<Segment> {
    path.iter().map(|text| segment(text)).collect()
}

fn segment(text: &str) -> Segment {
    match text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        Some(name) => Segment::Capture(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    }
}

fn link(resource: Resource, path: &[&str]) -> Link {
    let both = || vec![Format::Cbor.number(), Format::Json.number()];
    let (method, accepts, produces, title) = match resource {
        Register => (code::POST, both(), both(), "Make an account"),
        Login => (code::POST, both(), both(), "Log in with a password"),
        Logout => (code::POST, vec![], vec![], "End an access token"),
        Join => (code::POST, vec![], both(), "Join a room"),
        Send => (code::PUT, both(), both(), "Send a message to a room"),
        Getmsg => (code::GET, vec![], both(), "The last text message of a room"),
        Time => (code::GET, vec![], vec![TEXT_PLAIN], "Unix time in seconds"),
    };
    let attributes = [
        (
            "rt",
            format!("comatrix.{}", path.first().copied().unwrap_or_default()),
        ),
        ("if", "comatrix".to_owned()),
        ("title", title.to_owned()),
    ];
    Link {
        path: segments(path),
        methods: vec![method],
        accepts,
        produces,
        observable: resource == Getmsg,
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), Some(value)))
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_needs_stay_within_the_bounds_of_the_contract() {
        let description = describe(&[]).expect("no setting is wrong");
        assert!((1..=64).contains(&description.links.len()));
        assert!((1..=64).contains(&description.needs.len()));
    }

    #[test]
    fn every_link_belongs_to_the_resource_of_its_first_segment() {
        let description = describe(&[]).expect("no setting is wrong");
        for (index, link) in (0..).zip(&description.links) {
            let resource = resource(index).map(|resource| format!("{resource:?}").to_lowercase());
            assert_eq!(link.path.first(), resource.map(Segment::Literal).as_ref());
        }
        assert_eq!(resource(description.links.len() as u16), None);
    }

    #[test]
    fn a_wrong_setting_is_refused_at_activation() {
        assert!(describe(&[("errors", "sometimes")]).is_err());
        assert!(describe(&[("error", "legacy")]).is_err());
        assert!(describe(&[("errors", "legacy"), ("room.kitchen", "#k:h")]).is_ok());
    }
}
