//! What the rule serves, and the calls that it makes.

use comatrix_sdk::bindings::{Context, Description, Link, Need, Segment};
use comatrix_sdk::code;

/// Every path, so that full paths of the Client-Server API work that no table has.
const ANY: u16 = 0;
/// `/7`, the code of `/sync`: it can be observed.
const SYNC_BY_CODE: u16 = 1;
/// The full path of `/sync`.
const SYNC: u16 = 2;

/// The methods that are homeservers' too.
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// The contract's `describe`.
pub fn description() -> Description {
    let sync = vec![
        literal("_matrix"),
        literal("client"),
        version(),
        literal("sync"),
    ];
    Description {
        links: vec![
            link(vec![Segment::Rest], false),
            link(vec![literal("7"), Segment::Rest], true),
            link(sync, true),
        ],
        needs: ["device", "none"]
            .iter()
            .flat_map(|credential| ["client", "media"].map(|api| need(credential, api)))
            .collect(),
    }
}

/// The contract's `feeds`: observations of `/sync` have a position of their own.
pub fn feeds() -> Vec<u16> {
    vec![SYNC_BY_CODE, SYNC]
}

/// The device's whole Uri-Path, of which the gateway passes on what the link does not name.
pub fn uri_path(context: &Context) -> Vec<String> {
    let captures = context.captures.iter().cloned();
    match context.link {
        ANY => captures.collect(),
        SYNC_BY_CODE => [String::from("7")].into_iter().chain(captures).collect(),
        _ => ["_matrix", "client"]
            .into_iter()
            .map(str::to_owned)
            .chain(captures)
            .chain([String::from("sync")])
            .collect(),
    }
}

/// HTTP's name of a method; the gateway lets no other one pass.
pub fn method(code: u8) -> &'static str {
    match code {
        code::POST => "POST",
        code::PUT => "PUT",
        code::DELETE => "DELETE",
        _ => "GET",
    }
}

fn link(path: Vec<Segment>, observable: bool) -> Link {
    Link {
        path,
        methods: vec![code::GET, code::POST, code::PUT, code::DELETE],
        // Media have any format, and the answer to another one of an API call says more.
        accepts: Vec::new(),
        produces: Vec::new(),
        observable,
        attributes: Vec::new(),
    }
}

fn need(credential: &str, api: &str) -> Need {
    Need {
        upstream: "standard".to_owned(),
        credential: credential.to_owned(),
        methods: METHODS.map(str::to_owned).to_vec(),
        path: vec![literal("_matrix"), literal(api), Segment::Rest],
    }
}

fn literal(text: &str) -> Segment {
    Segment::Literal(text.to_owned())
}

fn version() -> Segment {
    Segment::Capture("version".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(link: u16, captures: &[&str]) -> Context {
        Context {
            link,
            captures: captures.iter().map(|text| (*text).to_owned()).collect(),
            requested: None,
            principal: None,
            flow_id: String::new(),
            now: None,
            facts: Vec::new(),
        }
    }

    #[test]
    fn the_uri_path_is_whole_again_for_every_link() {
        for (link, captures, path) in [
            (ANY, &["9", "!r:h"][..], "9/!r:h"),
            (SYNC_BY_CODE, &["extra"], "7/extra"),
            (SYNC, &["v3"], "_matrix/client/v3/sync"),
        ] {
            assert_eq!(uri_path(&context(link, captures)).join("/"), path);
        }
    }

    #[test]
    fn the_links_that_are_feeds_can_be_observed() {
        let links = description().links;
        for (index, link) in (0..).zip(&links) {
            assert_eq!(link.observable, feeds().contains(&index), "{:?}", link.path);
        }
    }
}
