//! Patterns for the paths of calls: `/rooms/*/send/**`.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::bindings::Segment;
use crate::path_segment::{decoded, is_plain};

/// Segments of a pattern: the Matrix API has at most 12.
const MAX_SEGMENTS: usize = 32;
/// What would be read as something else in a pattern or in the quotes of a configuration file. Other than ASCII is always
/// encoded: it could look like another path.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'*')
    .add(b'/')
    .add(b'\\');

/// Why a text or a list of segments is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not from the root.
    #[error("a path begins with /")]
    Root,
    /// `**` with something after it.
    #[error("** stands for all the rest of a path, so it is its last segment")]
    Rest,
    /// A star within a segment.
    #[error(
        "* stands alone for one segment, ** for all the rest; write a star that is meant as %2A"
    )]
    Star,
    /// A literal that no call may have.
    #[error("a segment is empty, a dot segment or has control characters, which no call may have")]
    NotPlain,
    /// A `%` without two digits after it, or escapes of no UTF-8.
    #[error("a % in it is not followed by two hexadecimal digits of UTF-8; write % as %25")]
    Escape,
    /// Deeper than any API.
    #[error("a path has at most {MAX_SEGMENTS} segments; end it with **")]
    TooLong,
}

/// A path whose segments are given, or any.
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
    /// The pattern of a need; the names of its captures do not count.
    ///
    /// # Errors
    /// [`PatternError`]: a rule may describe whatever it likes.
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

    /// Whether a path has this pattern.
    #[must_use]
    pub fn matches(&self, path: &[String]) -> bool {
        let mut path = path.iter();
        let fits = self.0.iter().all(|part| match part {
            Part::Literal(literal) => path.next() == Some(literal),
            Part::Any => path.next().is_some(),
            Part::Rest => {
                path.by_ref().for_each(drop);
                true
            }
        });
        fits && path.next().is_none()
    }

    /// Whether every path of `other` has this pattern too.
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

/// Text as a word of a grant.
pub fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, ENCODED)
}
