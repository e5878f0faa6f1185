//! A homeserver call in the form that the contract allows (`types.http-request`).
//!
//! A rule's request becomes a [`Call`] by one check, and only a `Call` can be sent: no other code checks its form.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::bindings::{HttpRequest, Upstream};
use crate::call_fault::{CallFault, MAX_BODY, MAX_HEADERS};
use crate::header::{self, HeaderGrants};
use crate::path_segment::is_plain;

/// The methods that a rule may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Safe and idempotent.
    Get,
    /// Neither: it is never repeated.
    Post,
    /// Idempotent: in the Matrix API by its transaction id.
    Put,
    /// Idempotent.
    Delete,
}

/// Whose access token the host attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credential {
    /// None.
    None,
    /// The token that the device presented.
    Device,
    /// That, or else the one that is configured for the homeserver.
    Any,
}

/// A call: a request, its homeserver, and whose access token it needs.
#[derive(Clone, Debug)]
pub struct Call {
    /// The homeserver.
    pub upstream: Upstream,
    /// Whose access token the host attaches.
    pub credential: Credential,
    /// The request.
    pub request: CheckedRequest,
}

/// An HTTP request without its origin and access token. Its parts have the form that the contract allows, also after
/// deserialisation. Clones share the body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct CheckedRequest {
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    hold_ms: u32,
}

/// The parts of a request before the check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    hold_ms: u32,
}

impl Method {
    const ALL: [Self; 4] = [Self::Get, Self::Post, Self::Put, Self::Delete];

    /// As HTTP spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// The method of this name; names are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl Credential {
    const ALL: [Self; 3] = [Self::None, Self::Device, Self::Any];

    /// As the contract spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Device => "device",
            Self::Any => "any",
        }
    }

    /// The credential of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|credential| credential.name() == name)
    }
}

impl Upstream {
    /// Its name in needs and grants.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Standard => "standard",
            Self::Requested => "requested",
            Self::Named(name) => name,
        }
    }
}

impl Call {
    /// The call that a rule asks for, which may send these headers.
    ///
    /// # Errors
    /// [`CallFault`]: the part that the contract does not allow.
    pub fn check(request: HttpRequest, grants: &HeaderGrants) -> Result<Self, CallFault> {
        let HttpRequest {
            upstream,
            credential,
            method,
            path,
            query,
            headers,
            body,
            hold_ms,
        } = request;
        let mut names = headers.iter().map(|(name, _)| name);
        if names.any(|name| header::is_grantable(name) && !grants.pass(name)) {
            return Err(CallFault::HeaderNotGranted);
        }
        let parts = Parts {
            method: Method::named(&method).ok_or(CallFault::Method)?,
            path,
            query,
            headers,
            body: body.map(Bytes::from),
            hold_ms,
        };
        Ok(Self {
            upstream,
            credential: Credential::named(&credential).ok_or(CallFault::Credential)?,
            request: parts.try_into()?,
        })
    }
}

impl TryFrom<Parts> for CheckedRequest {
    type Error = CallFault;

    fn try_from(parts: Parts) -> Result<Self, CallFault> {
        let Parts {
            method,
            path,
            query,
            headers,
            body,
            hold_ms,
        } = parts;
        // An empty segment is the slash at the path's end.
        let plain = match path.split_last() {
            Some((last, others)) if last.is_empty() && !others.is_empty() => others,
            _ => &path,
        };
        if !plain.iter().all(|segment| is_plain(segment)) {
            return Err(CallFault::Path);
        }
        if headers.len() > MAX_HEADERS {
            return Err(CallFault::Headers);
        }
        for (name, value) in &headers {
            if !header::is_grantable(name) {
                return Err(CallFault::HeaderName);
            }
            if !header::is_value(value) {
                return Err(CallFault::HeaderValue);
            }
        }
        if body.as_ref().is_some_and(|body| body.len() > MAX_BODY) {
            return Err(CallFault::Body);
        }
        Ok(Self {
            method,
            path,
            query,
            headers,
            body,
            hold_ms,
        })
    }
}

/// Hides everything but the method: path, query and body may hold secrets.
impl fmt::Debug for CheckedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl CheckedRequest {
    /// `GET` of a path, without anything else.
    ///
    /// # Errors
    /// [`CallFault::Path`].
    pub fn get(path: &[&str]) -> Result<Self, CallFault> {
        Parts {
            method: Method::Get,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            hold_ms: 0,
        }
        .try_into()
    }

    /// The same request with this query.
    #[must_use]
    pub fn with_query(self, query: Vec<(String, String)>) -> Self {
        Self { query, ..self }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Decoded path segments.
    #[must_use]
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// Decoded query pairs.
    #[must_use]
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Names, in lower case, and values.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body. A clone shares it.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// For a long poll: milliseconds that it may wait beyond the deadline of an exchange.
    #[must_use]
    pub fn hold_ms(&self) -> u32 {
        self.hold_ms
    }
}

#[cfg(test)]
mod tests;
