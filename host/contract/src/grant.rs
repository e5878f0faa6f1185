//! The calls that a rule may make, as one line of text:
//! `"PUT any standard /_matrix/client/v3/rooms/*/send/m.room.message/*"`.
//!
//! An operator grants calls in this notation (`allow` of `[[rule]]`), a manifest states its needs in it, and the error
//! for a missing grant prints the line to add.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::bindings::{Description, Need};
use super::call::{Call, Credential, Method};
use super::path_pattern::{PathPattern, PatternError, encoded};
use crate::escaping::escaped;
use crate::path_segment::decoded;

/// Bytes of a grant as text: the longest path of the Matrix API takes 200.
const MAX_BYTES: usize = 1024;
/// Bytes of it that an error repeats.
const SHOWN: usize = 120;

/// Methods, credential, upstream and path of calls. [`Display`](fmt::Display) writes printable ASCII without quotes,
/// which can be copied into a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grant {
    methods: BTreeSet<Method>,
    credential: Credential,
    upstream: String,
    path: PathPattern,
}

/// The fault of a text or a need that is no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It does not have four words.
    #[error(
        "\"{0}\" does not have four words; write METHODS CREDENTIAL UPSTREAM PATH, as in \"PUT any standard \
         /_matrix/client/v3/rooms/*/send/**\""
    )]
    Words(String),
    /// There is no method, or one that no rule may use.
    #[error(
        "\"{0}\" is no method that a rule may use; take GET, POST, PUT or DELETE, or several of them with commas \
         between them"
    )]
    Method(String),
    /// The contract has no such credential.
    #[error(
        "\"{0}\" is no credential; take none, device (the token the device sent) or any (that one, or else the \
         gateway's own)"
    )]
    Credential(String),
    /// It cannot be the name of a homeserver.
    #[error(
        "\"{0}\" is no upstream; take standard, requested (that of the Proxy-Uri) or the name of a [[homeserver]]"
    )]
    Upstream(String),
    /// The path is wrong.
    #[error("\"{text}\": {fault}")]
    Path {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        fault: PatternError,
    },
    /// It is longer than any real path.
    #[error("a grant has at most {MAX_BYTES} bytes; put * or ** in place of long segments")]
    TooLong,
}

impl Grant {
    /// `standard`, `requested`, or the name of a homeserver.
    #[must_use]
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// The grant for a need of a description.
    ///
    /// # Errors
    /// [`GrantError`] for a need that no grant can fulfil: a rule can describe anything.
    pub fn of(need: &Need) -> Result<Self, GrantError> {
        let methods = need.methods.iter().map(String::as_str);
        let path = PathPattern::of(&need.path).map_err(|fault| GrantError::Path {
            text: escaped(&format!("need of {}", need.upstream), SHOWN),
            fault,
        })?;
        Self::new(methods, &need.credential, need.upstream.clone(), path)
    }

    /// The grants for all needs of a description, in their order.
    ///
    /// # Errors
    /// [`GrantError`] for the first need that no grant can fulfil.
    pub fn of_needs(description: &Description) -> Result<Vec<Self>, GrantError> {
        description.needs.iter().map(Self::of).collect()
    }

    fn new<'a>(
        methods: impl Iterator<Item = &'a str>,
        credential: &str,
        upstream: String,
        path: PathPattern,
    ) -> Result<Self, GrantError> {
        let methods = methods
            .map(|name| Method::named(name).ok_or_else(|| GrantError::Method(escaped(name, SHOWN))))
            .collect::<Result<BTreeSet<_>, _>>()?;
        if methods.is_empty() {
            return Err(GrantError::Method(String::new()));
        }
        let credential = Credential::named(credential)
            .ok_or_else(|| GrantError::Credential(escaped(credential, SHOWN)))?;
        if upstream.is_empty() || upstream.chars().any(char::is_control) {
            return Err(GrantError::Upstream(escaped(&upstream, SHOWN)));
        }
        let grant = Self {
            methods,
            credential,
            upstream,
            path,
        };
        match grant.to_string().len() > MAX_BYTES {
            true => Err(GrantError::TooLong),
            false => Ok(grant),
        }
    }

    /// Whether this grant allows every call that `other` allows.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.methods.is_superset(&other.methods)
            && self.credential == other.credential
            && self.upstream == other.upstream
            && self.path.contains(&other.path)
    }

    /// Whether it allows this call.
    #[must_use]
    pub fn allows(&self, call: &Call) -> bool {
        self.credential == call.credential
            && self.methods.contains(&call.request.method())
            && self.upstream == call.upstream.name()
            && self.path.matches(call.request.path())
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        if text.len() > MAX_BYTES {
            return Err(GrantError::TooLong);
        }
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let [methods, credential, upstream, path] = words.as_slice() else {
            return Err(GrantError::Words(escaped(text, SHOWN)));
        };
        let path = path.parse().map_err(|fault| GrantError::Path {
            text: escaped(path, SHOWN),
            fault,
        })?;
        let upstream =
            decoded(upstream).ok_or_else(|| GrantError::Upstream(escaped(upstream, SHOWN)))?;
        Self::new(methods.split(','), credential, upstream, path)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(|method| method.name()).collect();
        let (credential, upstream) = (self.credential.name(), encoded(&self.upstream));
        write!(
            f,
            "{} {credential} {upstream} {}",
            methods.join(","),
            self.path
        )
    }
}

impl TryFrom<String> for Grant {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

#[cfg(test)]
mod tests;
