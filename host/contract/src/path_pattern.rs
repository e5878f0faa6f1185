//! Patterns for the paths of calls: `/rooms/*/send/**`.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::bindings::Segment;
use crate::path_segment::{decoded, is_plain};

/// Segments of a pattern: the Matrix API has at most 12.
const MAX_SEGMENTS: usize = 32;
/// Characters with another meaning in a pattern or within the quotes of a configuration file. Characters outside of
/// ASCII are always encoded: they could look like another path.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'*')
    .add(b'/')
    .add(b'\\');

/// The fault of a text or a list of segments that is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not begin at the root.
    #[error("a path begins with /")]
    Root,
    /// `**` is not last.
    #[error("** matches all the rest of a path, so it must be the last segment")]
    Rest,
    /// A star is part of a segment.
    #[error("* as a segment matches one segment, ** all the rest; write a literal star as %2A")]
    Star,
    /// No call may have this literal.
    #[error("a segment is empty, a dot segment or has control characters; no call may have it")]
    NotPlain,
    /// A `%` without two digits after it, or escapes that are not UTF-8.
    #[error("a % in it is not followed by two hexadecimal digits of UTF-8; write % as %25")]
    Escape,
    /// It is deeper than any API.
    #[error("a path has at most {MAX_SEGMENTS} segments; end it with **")]
    TooLong,
}

/// A path with literal and arbitrary segments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// This segment, decoded.
    Literal(String),
    /// `*`: any one segment.
    Any,
    /// `**`: any number of segments, also none; only the last part.
    Rest,
}

impl PathPattern {
    /// The pattern of a need; ignores the names of its captures.
    ///
    /// # Errors
    /// [`PatternError`]: a rule can describe anything.
    pub fn of(segments: &[Segment]) -> Result<Self, PatternError> {
        let part = |segment: &Segment| match segment {
            Segment::Literal(literal) => Part::Literal(literal.clone()),
            Segment::Capture(_) => Part::Any,
            Segment::Rest => Part::Rest,
        };
        Self::checked(segments.iter().map(part).collect())
    }

    fn checked(parts: Vec<Part>) -> Result<Self, PatternError> {
        let open = parts.iter().position(|part| *part == Part::Rest);
        let plain = |part: &Part| !matches!(part, Part::Literal(literal) if !is_plain(literal));
        if parts.len() > MAX_SEGMENTS {
            Err(PatternError::TooLong)
        } else if open.is_some_and(|index| index + 1 < parts.len()) {
            Err(PatternError::Rest)
        } else if !parts.iter().all(plain) {
            Err(PatternError::NotPlain)
        } else {
            Ok(Self(parts))
        }
    }

    /// Whether a path matches.
    #[must_use]
    pub fn matches(&self, path: &[String]) -> bool {
        let mut path = path.iter();
        let fits = self.0.iter().all(|part| match part {
            Part::Literal(literal) => path.next() == Some(literal),
            Part::Any => path.next().is_some_and(|segment| !segment.is_empty()),
            Part::Rest => {
                path.by_ref().for_each(drop);
                true
            }
        });
        fits && path.next().is_none()
    }

    /// Whether every path that matches `other` matches this pattern too.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        let mut others = other.0.iter();
        for part in &self.0 {
            let fits = match (part, others.next()) {
                (Part::Rest, _) => return true,
                (Part::Any, Some(Part::Literal(_) | Part::Any)) => true,
                (Part::Literal(mine), Some(Part::Literal(theirs))) => mine == theirs,
                _ => false,
            };
            if !fits {
                return false;
            }
        }
        others.next().is_none()
    }
}

impl FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let path = text.strip_prefix('/').ok_or(PatternError::Root)?;
        if path.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let part = |segment: &str| match segment {
            "*" => Ok(Part::Any),
            "**" => Ok(Part::Rest),
            _ if segment.contains('*') => Err(PatternError::Star),
            _ => decoded(segment)
                .map(Part::Literal)
                .ok_or(PatternError::Escape),
        };
        Self::checked(path.split('/').map(part).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(literal) => write!(f, "/{}", encoded(literal)),
            Part::Any => f.write_str("/*"),
            Part::Rest => f.write_str("/**"),
        })
    }
}

/// Text as one word of a grant.
pub fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, ENCODED)
}
