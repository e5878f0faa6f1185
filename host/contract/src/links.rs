//! Finds the link of a rule that a request is for.

use super::bindings::{Link, Segment};
use crate::path_segment::is_plain;

/// The link that a path and method matched.
#[derive(Debug, PartialEq, Eq)]
pub struct Match {
    /// Index into the description's links.
    pub link: u16,
    /// The segments that its captures matched, then those of `rest`.
    pub captures: Vec<String>,
}

/// Why no link matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// No link has this path: 4.04.
    Path,
    /// A link has this path, but not this method: 4.05.
    Method,
}

/// The best match: most literal segments, then no `rest` (design of `translator.link`).
///
/// # Errors
/// [`Mismatch`]: the path, or only the method, is unknown.
pub fn find(links: &[Link], path: &[&str], method: u8) -> Result<Match, Mismatch> {
    let mut best: Option<((usize, bool), Match)> = None;
    let mut mismatch = Mismatch::Path;
    for (index, link) in (0_u16..).zip(links) {
        let Some(captures) = captures(&link.path, path) else {
            continue;
        };
        if !link.methods.contains(&method) {
            mismatch = Mismatch::Method;
            continue;
        }
        let closeness = closeness(link);
        if best.as_ref().is_none_or(|(best, _)| closeness > *best) {
            let found = Match {
                link: index,
                captures,
            };
            best = Some((closeness, found));
        }
    }
    best.map(|(_, found)| found).ok_or(mismatch)
}

/// How closely a link's pattern describes the paths that it matches: its literal segments, and whether it has no `rest`.
/// Of two links that match a path, the larger one wins.
#[must_use]
pub fn closeness(link: &Link) -> (usize, bool) {
    let is_literal = |segment: &&Segment| matches!(segment, Segment::Literal(_));
    let literals = link.path.iter().filter(is_literal).count();
    (literals, !matches!(link.path.last(), Some(Segment::Rest)))
}

/// Whether a link has this path without its `rest`, for whatever method.
#[must_use]
pub fn has_path(links: &[Link], path: &[&str]) -> bool {
    let has = |link: &Link| closeness(link).1 && captures(&link.path, path).is_some();
    links.iter().any(has)
}

/// The segments that a pattern captures from a path; none if the path does not match.
pub fn captures<S: AsRef<str>>(pattern: &[Segment], path: &[S]) -> Option<Vec<String>> {
    let mut captured = Vec::new();
    let mut path = path.iter().map(AsRef::as_ref);
    for segment in pattern {
        match segment {
            Segment::Literal(literal) => {
                if path.next()? != literal {
                    return None;
                }
            }
            // An empty segment is the slash at a path's end: only `rest` has it.
            Segment::Capture(_) => {
                let segment = path.next().filter(|segment| !segment.is_empty())?;
                captured.push(segment.to_owned());
            }
            Segment::Rest => {
                captured.extend(path.by_ref().map(str::to_owned));
            }
        }
    }
    path.next().is_none().then_some(captured)
}

/// Bytes of a name or value in a description: a discovery response of 64 links stays below 64 KiB.
const MAX_TEXT: usize = 128;
/// Attributes of a link.
const MAX_ATTRIBUTES: usize = 8;
/// Segments of a path: more than a reasonable Uri-Path has.
const MAX_SEGMENTS: usize = 16;

/// Checks that a link can be served and listed: a rule can describe anything.
///
/// # Errors
/// The fault, for the operator.
pub fn check(link: &Link) -> Result<(), String> {
    check_path(&link.path)?;
    let shown = || shown(&link.path);
    let methods = &link.methods;
    if !(1..=7).contains(&methods.len()) || !methods.iter().all(|method| (1..=7).contains(method)) {
        return Err(format!(
            "{} has no method, more than seven methods, or a method other than 1 to 7",
            shown()
        ));
    }
    let formats = link.accepts.len().max(link.produces.len());
    if link.attributes.len() > MAX_ATTRIBUTES || formats > MAX_ATTRIBUTES {
        return Err(format!(
            "{} has more than {MAX_ATTRIBUTES} attributes or formats",
            shown()
        ));
    }
    for (name, value) in &link.attributes {
        let is_name = (1..=MAX_TEXT).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$&+^`|~*".contains(&byte));
        let value = value.as_deref().unwrap_or_default();
        if !is_name || value.len() > MAX_TEXT || value.contains(char::is_control) {
            return Err(format!(
                "{} has an attribute that link-format cannot carry (RFC 6690 §2)",
                shown()
            ));
        }
        if ["ct", "obs", "href"].contains(&name.as_str()) {
            return Err(format!("{} sets {name}; the gateway sets it", shown()));
        }
    }
    Ok(())
}

/// Checks that a pattern can match a path.
///
/// # Errors
/// The fault, for the operator.
pub fn check_path(path: &[Segment]) -> Result<(), String> {
    let literals_are_plain = path.iter().all(|segment| match segment {
        Segment::Literal(text) => text.len() <= MAX_TEXT && is_plain(text),
        Segment::Capture(name) => name.len() <= MAX_TEXT,
        Segment::Rest => true,
    });
    let rest_is_last = path
        .iter()
        .rev()
        .skip(1)
        .all(|segment| !matches!(segment, Segment::Rest));
    if path.len() > MAX_SEGMENTS || !literals_are_plain {
        return Err(format!(
            "{} has more than {MAX_SEGMENTS} segments, or one that is empty, '.', '..', too long or has control \
             characters",
            shown(path)
        ));
    }
    if !rest_is_last {
        return Err(format!("{} has segments after its rest", shown(path)));
    }
    Ok(())
}

/// A pattern for people.
pub fn shown(path: &[Segment]) -> String {
    let segments: Vec<&str> = path
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => text,
            Segment::Capture(_) => "*",
            Segment::Rest => "**",
        })
        .collect();
    crate::escaping::escaped(&format!("/{}", segments.join("/")), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.into())
    }

    fn link(path: Vec<Segment>, methods: &[u8]) -> Link {
        Link {
            path,
            methods: methods.to_vec(),
            accepts: vec![],
            produces: vec![],
            observable: false,
            attributes: vec![],
        }
    }

    fn links() -> Vec<Link> {
        let room = || Segment::Capture("room".into());
        vec![
            link(vec![literal("send")], &[3]),
            link(vec![literal("send"), room()], &[3]),
            link(vec![literal("send"), Segment::Rest], &[3]),
            link(vec![literal("send"), literal("all")], &[2]),
            link(vec![Segment::Rest], &[1]),
        ]
    }

    fn found(path: &[&str], method: u8) -> Result<(u16, Vec<String>), Mismatch> {
        find(&links(), path, method).map(|m| (m.link, m.captures))
    }

    #[test]
    fn the_link_with_most_literals_wins_then_the_one_without_rest() {
        assert_eq!(found(&["send"], 3), Ok((0, vec![])));
        assert_eq!(found(&["send", "!a"], 3), Ok((1, vec!["!a".into()])));
        assert_eq!(
            found(&["send", "!a", "1"], 3),
            Ok((2, vec!["!a".into(), "1".into()]))
        );
        assert_eq!(found(&["send", "all"], 2), Ok((3, vec![])));
    }

    #[test]
    fn a_literal_link_of_another_method_does_not_hide_a_capture() {
        assert_eq!(found(&["send", "all"], 3), Ok((1, vec!["all".into()])));
    }

    #[test]
    fn an_unknown_path_is_4_04_and_an_unknown_method_4_05() {
        // Without the last link, which has every path.
        let links = &links()[..4];
        let mismatch = |path: &[&str], method| find(links, path, method).err();
        assert_eq!(mismatch(&["nothing"], 2), Some(Mismatch::Path));
        assert_eq!(mismatch(&["send"], 4), Some(Mismatch::Method));
        assert_eq!(found(&["nothing"], 2), Err(Mismatch::Method));
    }

    #[test]
    fn the_slash_at_a_paths_end_is_for_rest_only() {
        assert_eq!(found(&["send", ""], 3), Ok((2, vec![String::new()])));
        assert_eq!(
            found(&["nothing", ""], 1),
            Ok((4, vec!["nothing".into(), String::new()]))
        );
    }

    #[test]
    fn a_path_is_had_by_links_without_rest_whatever_their_methods() {
        for (path, expected) in [
            (&["send", "!a"][..], true),
            (&["send", "!a", "1"], false),
            (&["x"], false),
        ] {
            assert_eq!(has_path(&links(), path), expected, "{path:?}");
        }
    }

    #[test]
    fn rest_matches_nothing_too() {
        assert_eq!(found(&[], 1), Ok((4, vec![])));
    }
}
