//! The part of a call that the operator grants.

use super::path::{place, segments};
use crate::bindings::{Context, Need, Segment, Upstream};
use crate::call::CLIENT_API;
use crate::homeserver_error::Repetition;

/// The path of [`lookup`](crate::room::lookup).
const DIRECTORY: &str = "_matrix/client/v3/directory/room/{alias}";

/// Whose access token the gateway attaches to a call (`http-request.credential` in `wit/types.wit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The device's, or else the gateway's configured one if the device and the homeserver may use it.
    Any,
    /// The device's own only.
    Device,
    /// No token.
    None,
}

impl Credential {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Credential::Any => "any",
            Credential::Device => "device",
            Credential::None => "none",
        }
    }
}

/// The part of a call that the operator grants.
#[doc(hidden)]
#[derive(Debug)]
pub struct Shape {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Which of the path's `{…}` is `{room}`.
    pub(super) room: Option<usize>,
    pub(super) credential: Credential,
    /// A homeserver that the operator grants by this name; else the exchange's.
    pub(super) named: Option<&'static str>,
    pub(super) hold_ms: u32,
    pub(super) any_status: bool,
    /// Whether it is made by a delivery: its path then lacks the last segment.
    pub(super) delivers: bool,
}

impl Shape {
    /// What a device may do if the response to the call is missing.
    pub(super) fn repetition(&self) -> Repetition {
        match self.method {
            "GET" => Repetition::Harmless,
            _ if self.delivers || place(self.path, "txn").is_some() => Repetition::ByTransaction,
            _ => Repetition::Unsafe,
        }
    }

    /// Adds what the operator must grant. `is_proxied`: the exchange's homeserver may be one of the device's Proxy-Uri.
    pub(super) fn add_needs(&self, is_proxied: bool, needs: &mut Vec<Need>) {
        let upstreams: &[&str] = match &self.named {
            Some(name) => &[*name],
            None if is_proxied => &["standard", "requested"],
            None => &["standard"],
        };
        for upstream in upstreams {
            let root = self.root().iter();
            let root = root.map(|text| Segment::Literal((*text).to_owned()));
            let id = self.delivers.then(|| Segment::Capture("txn".to_owned()));
            let path = root.chain(segments(self.path)).chain(id).collect();
            self.add_need(upstream, self.method, path, needs);
            if self.room.is_some() {
                self.add_need(upstream, "GET", segments(DIRECTORY).collect(), needs);
            }
        }
    }

    fn add_need(&self, upstream: &str, method: &str, path: Vec<Segment>, needs: &mut Vec<Need>) {
        let need = Need {
            upstream: upstream.to_owned(),
            credential: self.credential.as_str().to_owned(),
            methods: vec![method.to_owned()],
            path,
        };
        if !needs.contains(&need) {
            needs.push(need);
        }
    }

    /// The segments before the path.
    pub(super) fn root(&self) -> &'static [&'static str] {
        match self.path.starts_with('/') {
            true => &[],
            false => &CLIENT_API,
        }
    }

    /// The call's homeserver.
    pub(super) fn upstream(&self, context: &Context) -> Upstream {
        match self.named {
            Some(name) => Upstream::Named(name.to_owned()),
            None if context.requested.is_some() => Upstream::Requested,
            None => Upstream::Standard,
        }
    }
}
