//! `/.well-known/core`: what the rules describe, in CoRE Link Format (RFC 6690).

use contract::{Description, Link, Segment};
use runtime::MountTable;

/// Content-Format of `application/link-format` (RFC 7252 §12.3).
pub const LINK_FORMAT: u16 = 40;

/// Target attributes with space-separated values: a filter matches one of them (RFC 6690 §4.1).
const LISTS: [&str; 4] = ["rt", "if", "rel", "ct"];

/// One resource with its target attributes.
struct Entry {
    href: String,
    attributes: Vec<(String, Option<String>)>,
}

/// The links of all rules that match every filter (`name=value`, `*` at the end matches any rest).
#[must_use]
pub fn core(table: &MountTable, disabled: &[String], filters: &[&str]) -> String {
    let rules = table.rules().iter();
    list(
        rules.map(|rule| (rule.mount.as_slice(), rule.revision.description())),
        disabled,
        filters,
    )
}

fn list<'a>(
    rules: impl Iterator<Item = (&'a [String], &'a Description)>,
    disabled: &[String],
    filters: &[&str],
) -> String {
    let entries = rules
        .flat_map(|(mount, description)| description.links.iter().map(move |link| (mount, link)))
        .filter_map(|(mount, link)| entry(mount, link, disabled));
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

/// Links with captures are not resources but patterns; they are not listed.
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
                // `ct` with one number is the only one that RFC 7252 §7.2.1 writes without quotes.
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
        let described = Description {
            links,
            needs: vec![],
        };
        let rules = [(&[][..], &described)];
        list(rules.into_iter(), &[], filters)
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
            list([(&[][..], &description)].into_iter(), &["time".into()], &[]),
            ""
        );
    }
}
