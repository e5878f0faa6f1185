//! The rules that serve now, and the choice of a rule for a request. A table never changes; a new one replaces it.

use std::sync::Arc;

use super::revision::Revision;
use contract::bindings::Segment;
use contract::links::{Match, Mismatch, Rank, has_path, shown};

/// A rule and its mount.
#[derive(Clone)]
pub struct Mounted {
    /// The path segments before those of its links.
    pub mount: Vec<String>,
    /// The revision that serves there.
    pub revision: Arc<Revision>,
}

/// All rules that serve, those with the longest mounts first.
#[derive(Default)]
pub struct MountTable(Vec<Mounted>);

/// Two links have one path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "both {first} and {second} have {path}; mount one of them elsewhere ([[rule]] mount) or leave one out"
)]
pub struct Conflict {
    /// The path with its mount, as a pattern.
    pub path: String,
    /// The first rule.
    pub first: String,
    /// The second rule.
    pub second: String,
}

impl MountTable {
    /// A table of these rules.
    ///
    /// # Errors
    /// [`Conflict`]: two links on one path, or one on `/.well-known/core`, which the gateway serves.
    pub fn new(mut rules: Vec<Mounted>) -> Result<Self, Conflict> {
        let mut paths: Vec<(Vec<Segment>, &str, &[u8])> = Vec::new();
        for Mounted { mount, revision } in &rules {
            for link in &revision.description().links {
                let literals = mount.iter().cloned().map(Segment::Literal);
                let path: Vec<Segment> = literals.chain(link.path.iter().cloned()).collect();
                let conflict = |first: &str| Conflict {
                    path: shown(&path),
                    first: first.to_owned(),
                    second: format!("rule {}", revision.name()),
                };
                if shown(&path) == "/.well-known/core" {
                    return Err(conflict("the gateway itself"));
                }
                // One rule may have a path twice, for different methods.
                let earlier = paths.iter().find(|(other, rule, methods)| {
                    let methods_meet =
                        || link.methods.iter().any(|method| methods.contains(method));
                    is_same(other, &path) && (*rule != revision.name() || methods_meet())
                });
                if let Some((_, rule, _)) = earlier {
                    return Err(conflict(&format!("rule {rule}")));
                }
                paths.push((path, revision.name(), &link.methods));
            }
        }
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.mount.len()));
        Ok(Self(rules))
    }

    /// The rule and link for a path and a method code: those of the longest mount that has the path. Of several rules
    /// at that mount the one whose link describes it most closely, as of several links of one rule: a rule that takes
    /// every path takes no resource of another one. With a method that this resource has not, it is 4.05.
    ///
    /// # Errors
    /// [`Mismatch`]: 4.04 or 4.05.
    pub fn find(&self, path: &[&str], method: u8) -> Result<(&Arc<Revision>, Match), Mismatch> {
        let mut mismatch = Mismatch::Path;
        let mut best: Option<(usize, Rank, &Arc<Revision>, Match)> = None;
        let mut is_taken = false;
        for Mounted { mount, revision } in &self.0 {
            if best
                .as_ref()
                .is_some_and(|(length, ..)| *length > mount.len())
            {
                break;
            }
            let is_below = path.len() >= mount.len() && mount.iter().zip(path).all(|(m, p)| m == p);
            if !is_below {
                continue;
            }
            let below = &path[mount.len()..];
            match revision.find_ranked(below, method) {
                Ok((rank, found)) => {
                    if best.as_ref().is_none_or(|(_, before, ..)| rank > *before) {
                        best = Some((mount.len(), rank, revision, found));
                    }
                }
                Err(Mismatch::Method) => {
                    mismatch = Mismatch::Method;
                    is_taken |= has_path(&revision.description().links, below);
                }
                Err(Mismatch::Path) => {}
            }
        }
        // A path that a link has without `rest` is not for the `rest` of another rule.
        let best = best.filter(|(_, (_, is_closed), ..)| *is_closed || !is_taken);
        let found = best.map(|(_, _, revision, found)| (revision, found));
        found.ok_or(mismatch)
    }

    /// The Uri-Path of the resource that the path of a Proxy-Uri and a method code name. The rule with the shortest
    /// mount comes first: no other takes the paths of the rule at the root.
    ///
    /// # Errors
    /// [`Mismatch`]: 5.05 or 4.05.
    pub fn find_requested(&self, path: &[String], method: u8) -> Result<Vec<&str>, Mismatch> {
        let mut mismatch = Mismatch::Path;
        for Mounted { mount, revision } in self.0.iter().rev() {
            match revision.find_requested(path, method) {
                Ok(below) => {
                    let mount = mount.iter().map(String::as_str);
                    return Ok(mount.chain(below).collect());
                }
                Err(Mismatch::Method) => mismatch = Mismatch::Method,
                Err(Mismatch::Path) => {}
            }
        }
        Err(mismatch)
    }

    /// Whether any link begins with this segment.
    #[must_use]
    pub fn has_first(&self, segment: &str) -> bool {
        self.0.iter().any(|rule| {
            match rule.mount.first() {
            Some(first) => first == segment,
            None => rule.revision.description().links.iter().any(|link| {
                !matches!(link.path.first(), Some(Segment::Literal(first)) if first != segment)
            }),
        }
        })
    }

    /// A link of a revision as a pattern with its mount, for people; without its mount if the rule no longer serves.
    #[must_use]
    pub fn resource(&self, revision: &Revision, link: u16) -> String {
        let links = &revision.description().links;
        let Some(link) = links.get(usize::from(link)) else {
            return String::new();
        };
        let rule = self
            .0
            .iter()
            .find(|rule| rule.revision.name() == revision.name());
        let mount = rule.map_or(&[][..], |rule| &rule.mount);
        let mount = mount.iter().cloned().map(Segment::Literal);
        shown(&mount.chain(link.path.iter().cloned()).collect::<Vec<_>>())
    }

    /// The rules, those with the longest mounts first.
    #[must_use]
    pub fn rules(&self) -> &[Mounted] {
        &self.0
    }
}

/// Whether two patterns match the same paths; ignores the names of captures.
fn is_same(one: &[Segment], other: &[Segment]) -> bool {
    let pair = |(one, other): (&Segment, &Segment)| match (one, other) {
        (Segment::Literal(one), Segment::Literal(other)) => one == other,
        (Segment::Capture(_), Segment::Capture(_)) | (Segment::Rest, Segment::Rest) => true,
        _ => false,
    };
    one.len() == other.len() && one.iter().zip(other).all(pair)
}
