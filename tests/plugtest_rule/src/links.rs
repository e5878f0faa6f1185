//! The resources, below the rule's mount.

use comatrix_sdk::bindings::{Description, Link, Need, Segment};
use comatrix_sdk::code::{DELETE, GET, POST, PUT};

/// Content-Format of text.
pub const TEXT: u16 = 0;
/// Content-Format of links (RFC 6690 §7.3).
pub const LINK_FORMAT: u16 = 40;
/// Content-Format of JSON.
pub const JSON: u16 = 50;

type Attributes = &'static [(&'static str, &'static str)];

/// Path, methods, formats of responses, attributes.
const LINKS: &[(&str, &[u8], &[u16], Attributes)] = &[
    ("test", &[GET, POST, PUT, DELETE], &[TEXT], &[]),
    ("seg1/seg2/seg3", &[GET], &[TEXT], &[]),
    ("query", &[GET], &[TEXT], &[]),
    ("separate", &[GET], &[TEXT], &[]),
    ("location-query", &[POST], &[], &[]),
    ("multi-format", &[GET], &[TEXT, JSON], &[]),
    ("validate", &[GET], &[TEXT], &[]),
    ("large", &[GET], &[TEXT], &[("sz", "1700")]),
    ("large-update", &[PUT], &[], &[]),
    ("large-create", &[POST], &[], &[]),
    ("large-post", &[POST], &[TEXT], &[]),
    (
        "link1",
        &[GET],
        &[TEXT],
        &[("rt", "Type1 Type2"), ("if", "If1")],
    ),
    (
        "link2",
        &[GET],
        &[TEXT],
        &[("rt", "Type2 Type3"), ("if", "If2")],
    ),
    (
        "link3",
        &[GET],
        &[TEXT],
        &[("rt", "Type1 Type3"), ("if", "foo")],
    ),
    ("link4", &[GET], &[TEXT], &[]),
    ("path", &[GET], &[LINK_FORMAT], &[]),
    ("path/sub1", &[GET], &[TEXT], &[]),
    ("path/sub2", &[GET], &[TEXT], &[]),
];

/// The path of the homeserver that `/separate` waits for.
pub const SLOW: [&str; 4] = ["_matrix", "client", "v3", "plugtest"];

/// The path of a link of the description.
pub fn resource(link: u16) -> &'static str {
    LINKS.get(usize::from(link)).map_or("", |(path, ..)| *path)
}

/// For the gateway.
pub fn description() -> Description {
    let literals = |path: &str| {
        path.split('/')
            .map(|text| Segment::Literal(text.to_owned()))
            .collect()
    };
    let link = |(path, methods, produces, attributes): &(&str, &[u8], &[u16], Attributes)| Link {
        path: literals(path),
        methods: methods.to_vec(),
        accepts: Vec::new(),
        produces: produces.to_vec(),
        observable: false,
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
            .collect(),
    };
    Description {
        links: LINKS.iter().map(link).collect(),
        needs: vec![Need {
            upstream: "standard".to_owned(),
            credential: "none".to_owned(),
            methods: vec!["GET".to_owned()],
            path: literals(&SLOW.join("/")),
        }],
    }
}
