//! The resources that a Proxy-Uri names by its path, without a Uri-Path beside it (`wit/proxy.wit`).

use super::bindings::{Link, Segment};
use crate::escaping::escaped;
use crate::links::Mismatch;
use crate::path_pattern::PathPattern;

/// Pairs of a rule: four for each link of a description. Each is compared with the path of a Proxy-Uri.
const MAX_PATHS: usize = 256;
/// Bytes of a pattern, as of a grant: the Matrix API has no longer paths.
const MAX_BYTES: usize = 512;

/// The patterns of a rule, in its order, each with the index of its link.
#[derive(Debug, Default)]
pub struct RequestedPaths(Vec<(PathPattern, usize)>);

impl RequestedPaths {
    /// The result of `requested-paths` of a rule with these links.
    ///
    /// # Errors
    /// The fault, for the operator: a rule can describe anything.
    pub fn parse(links: &[Link], pairs: &[(u16, String)]) -> Result<Self, String> {
        if pairs.len() > MAX_PATHS {
            return Err(format!(
                "it has {} paths of Proxy-Uri, and at most {MAX_PATHS} are possible",
                pairs.len()
            ));
        }
        let parse = |(link, pattern): &(u16, String)| {
            let shown = escaped(pattern, 200);
            let link = usize::from(*link);
            if links.get(link).and_then(literals).is_none() {
                return Err(format!(
                    "the path {shown} of Proxy-Uri leads to link {link}, which has captures or does not exist"
                ));
            }
            if pattern.len() > MAX_BYTES {
                return Err(format!(
                    "the path {shown} of Proxy-Uri is longer than {MAX_BYTES} bytes"
                ));
            }
            let parsed = pattern.parse();
            let parsed =
                parsed.map_err(|fault| format!("the path {shown} of Proxy-Uri: {fault}"))?;
            Ok((parsed, link))
        };
        pairs.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// The path of the first link that the path of a Proxy-Uri and a method name.
    ///
    /// # Errors
    /// [`Mismatch`]: the path, or only the method, is unknown.
    pub fn find<'a>(
        &self,
        links: &'a [Link],
        path: &[String],
        method: u8,
    ) -> Result<Vec<&'a str>, Mismatch> {
        let mut mismatch = Mismatch::Path;
        for (pattern, link) in &self.0 {
            let Some(link) = links.get(*link).filter(|_| pattern.matches(path)) else {
                continue;
            };
            match literals(link) {
                Some(path) if link.methods.contains(&method) => return Ok(path),
                _ => mismatch = Mismatch::Method,
            }
        }
        Err(mismatch)
    }
}

/// The path of a link; none if it is a pattern.
fn literals(link: &Link) -> Option<Vec<&str>> {
    let segment = |segment: &'_ Segment| matches!(segment, Segment::Literal(_));
    let is_literal = link.path.iter().all(segment);
    is_literal.then(|| {
        let texts = link.path.iter().filter_map(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            Segment::Capture(_) | Segment::Rest => None,
        });
        texts.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Vec<Link> {
        let link = |name: &str, method, more: Option<Segment>| Link {
            path: [Segment::Literal(name.into())]
                .into_iter()
                .chain(more)
                .collect(),
            methods: vec![method],
            accepts: vec![],
            produces: vec![],
            observable: false,
            attributes: vec![],
        };
        vec![
            link("send", 3, None),
            link("last", 1, None),
            link("send", 3, Some(Segment::Capture("room".into()))),
        ]
    }

    fn parse(pairs: &[(u16, &str)]) -> Result<RequestedPaths, String> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(link, path)| (*link, (*path).to_owned()))
            .collect();
        RequestedPaths::parse(&links(), &pairs)
    }

    #[test]
    fn the_first_pattern_with_the_method_leads_to_its_link() {
        let paths = parse(&[(0, "/rooms/*/**"), (1, "/rooms/*/last"), (1, "/E/*")]).unwrap();
        let links = links();
        let found = |path: &str, method| {
            let path: Vec<_> = path.split('/').map(str::to_owned).collect();
            paths.find(&links, &path, method)
        };
        assert_eq!(found("rooms/!a/last", 3), Ok(vec!["send"]));
        assert_eq!(found("rooms/!a/last", 1), Ok(vec!["last"]));
        assert_eq!(found("E/!a", 1), Ok(vec!["last"]));
        assert_eq!(found("E/!a", 3), Err(Mismatch::Method));
        assert_eq!(found("E", 1), Err(Mismatch::Path));
    }

    #[test]
    fn what_leads_to_no_link_or_is_no_pattern_is_refused_with_its_text() {
        let long = format!("/{}", "x".repeat(MAX_BYTES));
        for (link, path) in [(2, "/a"), (3, "/a"), (0, "a"), (0, "/a/**/b"), (0, &long)] {
            let fault = parse(&[(link, path)]).unwrap_err();
            assert!(fault.contains(&path[..1]), "{fault}");
        }
        assert!(parse(&[(0, "/a"); MAX_PATHS + 1]).is_err());
        assert!(parse(&[(0, "/a"); MAX_PATHS]).is_ok());
    }
}
