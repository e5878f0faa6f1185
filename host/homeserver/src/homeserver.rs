//! A homeserver: its origin, its configuration, and the prefix of the client-server API that it supports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;

use super::concurrency_limit::ConcurrencyLimit;
use super::others::Others;
use super::record::CallRecord;
use contract::secret::AccessToken;

/// The prefix of the client-server API that a homeserver supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientApi {
    /// `/_matrix/client/v3`, Matrix 1.1 and later.
    #[default]
    V3,
    /// `/_matrix/client/r0`, before Matrix 1.1.
    R0,
    /// `v3`, until the homeserver responds with `M_UNRECOGNIZED` and turns out to support `r0`.
    Auto,
}

/// The gateway's own access token for a homeserver.
pub struct ConfiguredToken {
    /// The token.
    pub token: AccessToken,
    /// Whether it serves a device that has not proven its address.
    pub without_proof: bool,
}

/// A homeserver. Cheap to clone.
#[derive(Clone)]
pub struct Homeserver(Arc<Inner>);

struct Inner {
    origin: Url,
    name: Option<String>,
    configured: bool,
    token: Option<ConfiguredToken>,
    client_api: ClientApi,
    /// The result of `auto`.
    is_old: AtomicBool,
    slots: ConcurrencyLimit,
    record: Arc<CallRecord>,
}

impl Homeserver {
    /// A configured homeserver.
    #[must_use]
    pub fn configured(
        origin: Url,
        name: Option<String>,
        token: Option<ConfiguredToken>,
        client_api: ClientApi,
        slots: ConcurrencyLimit,
    ) -> Self {
        let is_old = AtomicBool::new(client_api == ClientApi::R0);
        Self(Arc::new(Inner {
            origin,
            name,
            configured: true,
            token,
            client_api,
            is_old,
            slots,
            record: Arc::default(),
        }))
    }

    /// A homeserver that a device has named.
    pub(super) fn unconfigured(origin: &Url, others: &Others) -> Self {
        Self(Arc::new(Inner {
            origin: origin.clone(),
            name: None,
            configured: false,
            token: None,
            client_api: ClientApi::V3,
            is_old: AtomicBool::new(false),
            slots: others.slots.clone(),
            record: others.record.clone(),
        }))
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &Url {
        &self.0.origin
    }

    /// Its name in the configuration, for grants.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    pub(super) fn is_configured(&self) -> bool {
        self.0.configured
    }

    pub(super) fn is_secured(&self) -> bool {
        self.0.origin.scheme() == "https"
    }

    pub(super) fn has_origin(&self, origin: &Url) -> bool {
        // `Url::origin` would allocate the host each time.
        let own = &self.0.origin;
        own.scheme() == origin.scheme()
            && own.host() == origin.host()
            && own.port_or_known_default() == origin.port_or_known_default()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.has_origin(&other.0.origin)
    }

    /// Whether both have the same configuration.
    pub(super) fn is_configured_as(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        let same_token = match (&one.token, &other.token) {
            (Some(one), Some(other)) => {
                one.token.is(&other.token) && one.without_proof == other.without_proof
            }
            (one, other) => one.is_none() && other.is_none(),
        };
        same_token
            && (&one.origin, &one.name) == (&other.origin, &other.name)
            && (one.configured, one.client_api) == (other.configured, other.client_api)
    }

    /// The token configured for it.
    #[must_use]
    pub fn token(&self) -> Option<&AccessToken> {
        self.0.token.as_ref().map(|configured| &configured.token)
    }

    /// Whether that token serves only devices that have proven their address.
    #[must_use]
    pub fn needs_proof(&self) -> bool {
        let token = self.0.token.as_ref();
        token.is_some_and(|configured| !configured.without_proof)
    }

    /// The limit of its calls in flight, and their queue.
    #[must_use]
    pub fn slots(&self) -> &ConcurrencyLimit {
        &self.0.slots
    }

    /// The outcomes of its calls.
    #[must_use]
    pub fn record(&self) -> &CallRecord {
        &self.0.record
    }

    /// Its origin for people and as a label.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.origin.origin().ascii_serialization()
    }

    /// Whether paths need `r0`.
    pub(super) fn is_old(&self) -> bool {
        self.0.is_old.load(Ordering::Relaxed)
    }

    /// Whether `M_UNRECOGNIZED` can mean that it supports only `r0`.
    pub(super) fn may_be_old(&self) -> bool {
        self.0.client_api == ClientApi::Auto && !self.is_old()
    }

    pub(super) fn remember_old(&self) {
        self.0.is_old.store(true, Ordering::Relaxed);
    }
}
