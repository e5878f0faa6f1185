//! The default rule: the CoMatrix resources, each in a file of its own with its handler, its calls and its tests.
//!
//! | resource | file |
//! | --- | --- |
//! | `/register`, `/login`, `/logout` | [`register`], [`login`], [`logout`] |
//! | `/join`, `/send`, `/getmsg` | [`join`], [`send`], [`getmsg`] |
//! | `/time` | [`time`] |
//!
//! [`RULE`] lists their routes. `/register` and `/login` share [`access_token`]; [`legacy`] is the setting `errors`.
//! Everything else is the SDK's: Proxy-Uri and rooms, payloads, calls to the homeserver and its errors, observations.
//!
//! Settings: `errors` = `precise` (the default) or `legacy`; `room.<name>` = a room id or alias that devices may call
//! `<name>`.
#![deny(missing_docs)]

pub mod access_token;
#[cfg(test)]
mod fixtures;
pub mod getmsg;
pub mod join;
pub mod legacy;
pub mod login;
pub mod logout;
pub mod register;
pub mod send;
pub mod time;

use comatrix_sdk::rule::{Route, Rule};

/// The routes, in the gateway's order of links.
static ROUTES: [Route; 11] = [
    register::ROUTE,
    login::ROUTE,
    logout::ROUTE,
    join::ROUTE,
    join::ROUTE.at("join/{room}"),
    send::ROUTE,
    send::ROUTE.at("send/{room}"),
    send::ROUTE.at("send/{room}/{transaction}"),
    getmsg::ROUTE,
    getmsg::ROUTE.at("getmsg/{room}"),
    time::ROUTE,
];

/// The rule.
pub static RULE: Rule = Rule::new(&ROUTES)
    .settings(&[legacy::SETTING])
    .on_error(legacy::on_error);

comatrix_sdk::export!(RULE, observer, proxy, rights);

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{Effect, Segment};

    use super::*;
    use crate::fixtures::{Exchange, empty_request, json_request};

    /// Payloads that a resource accepts.
    const ACCOUNT: &str = r#"{"username":"u","password":"p","auth":{"type":"m.login.dummy"}}"#;
    const LOGIN: &str = r#"{"type":"m.login.password","identifier":{"type":"m.id.user","user":"u"},"password":"p"}"#;
    const MESSAGE: &str = r#"{"msgtype":"m.text","body":"b"}"#;

    #[test]
    fn short_and_full_forms_name_the_same_endpoints() {
        let prefixes = [
            "_matrix/client/r0",
            "_matrix/client/v1",
            "_matrix/client/v3",
        ];
        for (resource, payload, short, full) in [
            ("register", Some(ACCOUNT), "4", "register"),
            ("login", Some(LOGIN), "1", "login"),
            ("logout", None, "3", "logout"),
            ("join", None, "K/!r:h", "rooms/!r:h/join"),
            ("join", None, "L/#a:h", "join/#a:h"),
            (
                "send",
                Some(MESSAGE),
                "9/!r:h/m.room.message/7",
                "rooms/!r:h/send/m.room.message/7",
            ),
            ("getmsg", None, "E/!r:h", "rooms/!r:h/messages"),
        ] {
            let request = payload.map_or_else(empty_request, json_request);
            let begin = |path: &str| Exchange::proxied(resource, path).begin(&request);
            for prefix in prefixes {
                let effect = begin(short);
                assert!(matches!(effect, Ok(Effect::Call(_) | Effect::Deliver(_))));
                assert_eq!(effect, begin(&format!("{prefix}/{full}")), "{full}");
            }
        }
    }

    #[test]
    fn other_paths_name_nothing() {
        let others = "|4/x|9/!r:h|9/!r:h/m.room.message|E|K|7|login|_matrix/client/r0|_matrix/client/v2/login|\
                      _matrix/client/r0/sync";
        for resource in ["register", "login", "logout", "join", "send", "getmsg"] {
            for path in others.split('|') {
                let failure = Exchange::proxied(resource, path).begin(&empty_request());
                let failure = failure.expect_err(path);
                assert!(failure.diagnostic.starts_with("Proxy-Uri"), "{failure:?}");
            }
        }
    }

    #[test]
    fn two_names_of_one_thing_must_agree() {
        for (path, is_agreed) in [("K/!a", true), ("K/!b", false)] {
            let mut exchange = Exchange::local("join", &["!a"]);
            exchange.context.requested = Exchange::proxied("join", path).context.requested;
            assert_eq!(
                exchange.begin(&empty_request()).is_ok(),
                is_agreed,
                "{path}"
            );
        }
    }

    #[test]
    fn links_and_needs_stay_within_the_bounds_of_the_contract() {
        let description = RULE.describe(&[]).expect("no setting is wrong");
        assert!((1..=64).contains(&description.links.len()));
        assert!((1..=64).contains(&description.needs.len()));
    }

    #[test]
    fn every_link_belongs_to_the_resource_of_its_first_segment() {
        let description = RULE.describe(&[]).expect("no setting is wrong");
        for link in &description.links {
            let (_, name) = &link.attributes[0];
            let name = name
                .as_deref()
                .and_then(|name| name.strip_prefix("comatrix."));
            let literal = name.map(|name| Segment::Literal(name.to_owned()));
            assert_eq!(link.path.first(), literal.as_ref());
        }
    }

    #[test]
    fn a_wrong_setting_is_refused_at_activation() {
        assert!(RULE.describe(&[("errors", "sometimes")]).is_err());
        assert!(RULE.describe(&[("error", "legacy")]).is_err());
        let right = [("errors", "legacy"), ("room.kitchen", "#k:h")];
        assert!(RULE.describe(&right).is_ok());
    }
}
