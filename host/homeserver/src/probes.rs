//! Whether the configured homeservers are reachable. The outcomes of calls show it. A homeserver without a recent call
//! is probed once, and only on demand: an idle gateway probes none, and a monitor that asks the gateway every second is
//! no load for a homeserver.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::concurrency_limit::ConcurrencyLimit;
use super::homeserver::Homeserver;
use super::others::Others;
use super::record::CallRecord;
use super::request::HttpCall;
use contract::CheckedRequest;
use contract::clock::Clock;

/// A newer outcome needs no probe. Monitors usually ask as often.
const FRESH: Duration = Duration::from_secs(10);
/// A homeserver that takes longer for its versions is of no use to a device.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of the response: some kilobytes of versions and features.
const MAX_RESPONSE: usize = 64 << 10;

/// Probes the configured homeservers. Cheap to clone.
#[derive(Clone)]
pub struct Probes {
    homeservers: Vec<Homeserver>,
    others: Option<Others>,
    client: Client,
    clock: Clock,
    /// One at a time: those who wait use the outcome of the first.
    turn: Arc<Semaphore>,
}

impl Probes {
    pub(super) fn new(
        homeservers: Vec<Homeserver>,
        others: Option<Others>,
        client: Client,
        clock: Clock,
    ) -> Self {
        Self {
            homeservers,
            others,
            client,
            clock,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// The configured homeservers, the default first.
    #[must_use]
    pub fn homeservers(&self) -> &[Homeserver] {
        &self.homeservers
    }

    /// The calls to all homeservers that devices have named; none if devices may not name any.
    #[must_use]
    pub fn others(&self) -> Option<(&ConcurrencyLimit, &CallRecord)> {
        let others = self.others.as_ref()?;
        Some((&others.slots, &others.record))
    }

    /// Probes those without a recent outcome; takes 3 s at most.
    pub async fn refresh(&self) {
        let Ok(_turn) = self.turn.acquire().await else {
            return;
        };
        let stale = self.homeservers.iter().filter(|homeserver| {
            let presence = homeserver.record().presence();
            presence.is_none_or(|presence| presence.at.elapsed() >= FRESH)
        });
        futures_util::future::join_all(stale.map(|homeserver| self.probe(homeserver))).await;
    }

    /// `GET /_matrix/client/versions`, which needs no token and which homeservers serve from memory. Only the first of
    /// several failures is logged.
    async fn probe(&self, homeserver: &Homeserver) {
        let Ok(request) = CheckedRequest::get(&["_matrix", "client", "versions"]) else {
            unreachable!("its segments are plain")
        };
        let before = homeserver.record().presence();
        let call = HttpCall {
            client: &self.client,
            homeserver,
            token: None,
            slots: None,
            max_response: MAX_RESPONSE,
            receiving: None,
            clock: self.clock,
            is_quiet: before.is_some_and(|before| !before.is_there),
        };
        let began = Instant::now();
        let (outcome, _) = call.make(&request, began + TIMEOUT).await;
        // It is no call of a rule, so it is not counted.
        homeserver.record().observe(&outcome, Some(began.elapsed()));
    }
}
