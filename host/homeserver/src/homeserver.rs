//! A homeserver: its origin, what is configured for it, and how many calls it is given at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::record::CallRecord;
use super::settings::Others;
use contract::secret::AccessToken;

/// Which prefix of the client-server API a homeserver knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientApi {
    /// `/_matrix/client/v3`, Matrix 1.1 and later.
    #[default]
    V3,
    /// `/_matrix/client/r0`, before Matrix 1.1.
    R0,
    /// `v3`, until the homeserver answers `M_UNRECOGNIZED` and knows `r0` instead.
    Auto,
}

/// A homeserver. Cheap to clone.
#[derive(Clone)]
pub struct Homeserver(Arc<Inner>);

struct Inner {
    origin: Url,
    name: Option<String>,
    configured: bool,
    token: Option<AccessToken>,
    client_api: ClientApi,
    /// What `auto` has found out.
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
        token: Option<AccessToken>,
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

    /// One that a device has named.
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

    /// Its name in the configuration, by which a rule can be granted it.
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
        self.0.origin.origin() == origin.origin()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.has_origin(&other.0.origin)
    }

    /// Whether it is configured in the same way.
    pub(super) fn is_configured_as(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        let same_token = match (&one.token, &other.token) {
            (Some(one), Some(other)) => one.is(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        same_token
            && (&one.origin, &one.name) == (&other.origin, &other.name)
            && (one.configured, one.client_api) == (other.configured, other.client_api)
    }

    /// The token configured for it.
    #[must_use]
    pub fn token(&self) -> Option<&AccessToken> {
        self.0.token.as_ref()
    }

    /// Its calls in flight and their queue.
    #[must_use]
    pub fn slots(&self) -> &ConcurrencyLimit {
        &self.0.slots
    }

    /// What calls to it have led to.
    #[must_use]
    pub fn record(&self) -> &CallRecord {
        &self.0.record
    }

    /// Its origin for people and as a label.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.origin.origin().ascii_serialization()
    }

    /// Whether paths must be spelled with `r0`.
    pub(super) fn is_old(&self) -> bool {
        self.0.is_old.load(Ordering::Relaxed)
    }

    /// Whether an `M_UNRECOGNIZED` may mean that it only knows `r0`.
    pub(super) fn may_be_old(&self) -> bool {
        self.0.client_api == ClientApi::Auto && !self.is_old()
    }

    pub(super) fn remember_old(&self) {
        self.0.is_old.store(true, Ordering::Relaxed);
    }
}

/// Calls in flight and the queue for them. Cheap to clone.
#[derive(Clone)]
pub struct ConcurrencyLimit(Arc<ConcurrencyLimitInner>);

struct ConcurrencyLimitInner {
    /// Of `in_flight` and `admitted`, while nothing happens.
    sizes: [usize; 2],
    in_flight: Semaphore,
    /// In flight and waiting together.
    admitted: Semaphore,
}

impl ConcurrencyLimit {
    /// `in_flight` calls at once, `queued` more that wait.
    #[must_use]
    pub fn new(in_flight: usize, queued: usize) -> Self {
        let admitted = in_flight.saturating_add(queued).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(ConcurrencyLimitInner {
            sizes: [in_flight, admitted],
            in_flight: Semaphore::new(in_flight),
            admitted: Semaphore::new(admitted),
        }))
    }

    /// How many calls are in flight, and how many wait.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        let [in_flight, admitted] = self.0.sizes;
        let in_flight = in_flight.saturating_sub(self.0.in_flight.available_permits());
        let admitted = admitted.saturating_sub(self.0.admitted.available_permits());
        (in_flight, admitted.saturating_sub(in_flight))
    }

    /// Waits for a slot; `None` at once where the queue is full.
    pub(super) async fn take(&self) -> Option<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let admitted = self.0.admitted.try_acquire().ok()?;
        let slot = self.0.in_flight.acquire().await.ok()?;
        Some((admitted, slot))
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn calls_beyond_the_slots_wait_and_beyond_the_queue_are_refused() {
        let slots = ConcurrencyLimit::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(slots.take());
        let Poll::Ready(Some(held)) = first.as_mut().poll(&mut context) else {
            panic!("the first is served")
        };
        let mut second = Box::pin(slots.take());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(slots.used(), (1, 1));
        assert!(matches!(
            Box::pin(slots.take()).as_mut().poll(&mut context),
            Poll::Ready(None)
        ));
        drop(held);
        assert_eq!(slots.used().1, 0);
        assert!(matches!(
            second.as_mut().poll(&mut context),
            Poll::Ready(Some(_))
        ));
    }
}
