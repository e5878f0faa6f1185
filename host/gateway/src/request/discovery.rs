//! `/.well-known/core`: the links of all rules, in CoRE Link Format (RFC 6690).

use super::admission::{check_accept, check_preconditions};
use super::error::GatewayError;
use coap::option::content_format::LINK_FORMAT;
use coap::{Message, code, option};
use contract::{Description, Link, Segment};
use runtime::MountTable;

/// Target attributes with space-separated values: a filter matches one of them (RFC 6690 §4.1).
const LISTS: [&str; 4] = ["rt", "if", "rel", "ct"];

/// One resource with its target attributes.
struct Entry {
    href: String,
    attributes: Vec<(String, Option<String>)>,
}

/// Whether this is the path of discovery (RFC 6690 §4).
pub(super) fn is_meant(path: &[&str]) -> bool {
    path == [".well-known", "core"]
}

/// The resource of EDHOC, with what its responder can do (RFC 9528 Appendix A.2, RFC 9668 §6): method 3, cipher suite
/// 2, CCS as credentials by kid or by value, and the combined request. An attribute has one value each time it occurs.
const EDHOC: [(&str, Option<&str>); 8] = [
    ("rt", Some("core.edhoc")),
    ("ed-r", None),
    ("ed-method", Some("3")),
    ("ed-csuite", Some("2")),
    ("ed-cred-t", Some("1")),
    ("ed-idcred-t", Some("4")),
    ("ed-idcred-t", Some("14")),
    ("ed-comb-req", None),
];

/// The response to a request for discovery. Its queries are filters. `has_edhoc`: there is a resource of EDHOC.
///
/// # Errors
/// 4.00 for a query that is not UTF-8; 4.05, 4.06, 4.12.
pub(super) fn respond(
    request: &Message,
    rules: &MountTable,
    disabled: &[String],
    has_edhoc: bool,
) -> Result<Message, GatewayError> {
    if request.code != code::GET {
        return Err(GatewayError::Method);
    }
    check_preconditions(request)?;
    check_accept(request, &[LINK_FORMAT])?;
    let filters: Vec<&str> = request
        .options(option::URI_QUERY)
        .map(|query| std::str::from_utf8(query).map_err(|_| GatewayError::UriQuery))
        .collect::<Result<_, _>>()?;
    let rules = rules.rules().iter();
    let described = rules.map(|rule| (rule.mount.as_slice(), rule.revision.description()));
    Ok(Message::new(code::CONTENT)
        .with_uint_option(option::CONTENT_FORMAT, LINK_FORMAT.into())
        .with_payload(list(described, disabled, has_edhoc, &filters)))
}

/// The links that match every filter: `name=value`, where `*` at the end matches any rest.
fn list<'a>(
    rules: impl Iterator<Item = (&'a [String], &'a Description)>,
    disabled: &[String],
    has_edhoc: bool,
    filters: &[&str],
) -> String {
    let entries = rules
        .flat_map(|(mount, description)| description.links.iter().map(move |link| (mount, link)))
        .filter_map(|(mount, link)| entry(mount, link, disabled))
        .chain(has_edhoc.then(edhoc));
    let filters: Vec<_> = filters
        .iter()
        .filter_map(|filter| filter.split_once('='))
        .collect();
    entries
        .filter(|entry| {
            filters
                .iter()
                .all(|(name, value)| matches(entry, name, value))
        })
        .map(|entry| entry.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

fn edhoc() -> Entry {
    let owned = |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned));
    Entry {
        href: "/.well-known/edhoc".to_owned(),
        attributes: EDHOC.map(owned).into(),
    }
}

/// One link's entry. None for a link with captures: it is a pattern and no resource.
fn entry(mount: &[String], link: &Link, disabled: &[String]) -> Option<Entry> {
    let below = link.path.iter().map(|segment| match segment {
        Segment::Literal(literal) => Some(literal.as_str()),
        Segment::Capture(_) | Segment::Rest => None,
    });
    let path: Vec<&str> = mount
        .iter()
        .map(|segment| Some(segment.as_str()))
        .chain(below)
        .collect::<Option<_>>()?;
    if path
        .first()
        .is_some_and(|first| disabled.iter().any(|name| name == first))
    {
        return None;
    }
    let mut attributes = link.attributes.clone();
    if !link.produces.is_empty() {
        let formats: Vec<String> = link.produces.iter().map(u16::to_string).collect();
        attributes.push(("ct".into(), Some(formats.join(" "))));
    }
    if link.observable {
        attributes.push(("obs".into(), None));
    }
    Some(Entry {
        href: format!("/{}", path.join("/")),
        attributes,
    })
}

fn matches(entry: &Entry, name: &str, wanted: &str) -> bool {
    let is = |value: &str| match wanted.strip_suffix('*') {
        Some(prefix) => value.starts_with(prefix),
        None => value == wanted,
    };
    if name == "href" {
        return is(&entry.href);
    }
    entry
        .attributes
        .iter()
        .filter(|(attribute, _)| attribute == name)
        .any(|(_, value)| match value {
            Some(value) if LISTS.contains(&name) => value.split(' ').any(is),
            value => is(value.as_deref().unwrap_or_default()),
        })
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>", self.href)?;
        for (name, value) in &self.attributes {
            match value {
                None => write!(f, ";{name}")?,
                // Only `ct` with one number stands without quotes (RFC 7252 §7.2.1).
                Some(value) if name == "ct" && !value.contains(' ') => write!(f, ";ct={value}")?,
                Some(value) => write!(
                    f,
                    ";{name}=\"{}\"",
                    value.replace('\\', "\\\\").replace('"', "\\\"")
                )?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(path: &[&str], rt: &str, produces: &[u16], observable: bool) -> Link {
        Link {
            path: path
                .iter()
                .map(|segment| match segment.strip_prefix(':') {
                    Some(name) => Segment::Capture(name.into()),
                    None => Segment::Literal((*segment).into()),
                })
                .collect(),
            methods: vec![1],
            accepts: vec![],
            produces: produces.to_vec(),
            observable,
            attributes: vec![
                ("rt".into(), Some(rt.into())),
                ("title".into(), Some("a \"b\"".into())),
            ],
        }
    }

    fn listed(filters: &[&str]) -> String {
        let links = vec![
            link(&["time"], "x.time x.clock", &[0], false),
            link(&["send"], "x.send", &[60, 50], true),
            link(&["send", ":room"], "x.send", &[60], false),
        ];
        let description = Description {
            links,
            needs: vec![],
        };
        let rules = [(&[][..], &description)];
        list(rules.into_iter(), &[], false, filters)
    }

    const TIME: &str = r#"</time>;rt="x.time x.clock";title="a \"b\"";ct=0"#;
    const SEND: &str = r#"</send>;rt="x.send";title="a \"b\"";ct="60 50";obs"#;

    #[test]
    fn links_are_listed_with_their_attributes_but_patterns_are_not() {
        assert_eq!(listed(&[]), format!("{TIME},{SEND}"));
    }

    #[test]
    fn a_filter_matches_a_whole_value_one_of_a_list_or_a_prefix() {
        for filter in ["rt=x.clock", "href=/time", "href=/t*", "ct=0", "rt=x.t*"] {
            assert_eq!(listed(&[filter]), TIME, "{filter}");
        }
        for filter in ["ct=50", "obs=", "href=/s*", "rt=x.send", "obs=*"] {
            assert_eq!(listed(&[filter]), SEND, "{filter}");
        }
        for filter in ["rt=x", "href=/", "nothing=1", "title=a"] {
            assert_eq!(listed(&[filter]), "", "{filter}");
        }
        assert_eq!(listed(&["rt=x*", "href=/send"]), SEND);
    }

    #[test]
    fn a_resource_that_is_switched_off_is_not_listed() {
        let description = Description {
            links: vec![link(&["time"], "t", &[], false)],
            needs: vec![],
        };
        assert_eq!(
            list(
                [(&[][..], &description)].into_iter(),
                &["time".into()],
                false,
                &[]
            ),
            ""
        );
    }

    #[test]
    fn the_resource_of_edhoc_is_listed_and_found_once_there_is_one() {
        let found = |filter| list([].into_iter(), &[], true, &[filter]);
        let whole = "</.well-known/edhoc>;rt=\"core.edhoc\";ed-r;ed-method=\"3\";ed-csuite=\"2\";\
                     ed-cred-t=\"1\";ed-idcred-t=\"4\";ed-idcred-t=\"14\";ed-comb-req";
        for filter in [
            "rt=core.edhoc",
            "ed-method=3",
            "ed-idcred-t=4",
            "ed-idcred-t=14",
            "href=/.well-known/*",
        ] {
            assert_eq!(found(filter), whole, "{filter}");
        }
        assert_eq!(found("ed-csuite=0"), "");
    }
}
