//! Whether the configured homeservers are there. Calls that are made anyway tell it; where there were none lately they are asked
//! once, and only because somebody wants to know: an idle gateway asks nobody, and a monitor that asks the gateway every
//! second is no load for a homeserver.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::concurrency_limit::ConcurrencyLimit;
use super::homeserver::Homeserver;
use super::record::CallRecord;
use super::request::HttpCall;
use super::settings::Others;
use contract::CheckedRequest;
use contract::clock::Clock;

/// What is known for less long than this is not asked again. A monitor looks about as often.
const FRESH: Duration = Duration::from_secs(10);
/// A homeserver that takes longer to say its versions is of no use to a caller.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of the answer: some kilobytes of versions and features.
const MAX_RESPONSE: usize = 64 << 10;

/// The configured homeservers, and how to ask them. Cheap to clone.
#[derive(Clone)]
pub struct Probes {
    homeservers: Vec<Homeserver>,
    others: Option<Others>,
    client: Client,
    clock: Clock,
    /// One at a time: who comes meanwhile finds the answer of the first.
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

    /// Calls to homeservers that devices have named, all of them together; none where devices may not.
    #[must_use]
    pub fn others(&self) -> Option<(&ConcurrencyLimit, &CallRecord)> {
        let others = self.others.as_ref()?;
        Some((&others.slots, &others.record))
    }

    /// Asks those of whom nothing is known lately; takes 3 s at most.
    pub async fn refresh(&self) {
        let Ok(_turn) = self.turn.acquire().await else {
            return;
        };
        let stale = self.homeservers.iter().filter(|homeserver| {
            let presence = homeserver.record().presence();
            presence.is_none_or(|presence| presence.at.elapsed() >= FRESH)
        });
        futures_util::future::join_all(stale.map(|homeserver| self.ask(homeserver))).await;
    }

    /// `GET /_matrix/client/versions`, which needs no token and is answered from memory. That one is away is told once.
    async fn ask(&self, homeserver: &Homeserver) {
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
            clock: self.clock,
            is_quiet: before.is_some_and(|before| !before.is_there),
        };
        let began = Instant::now();
        let (outcome, _) = call.make(&request, began + PATIENCE).await;
        // No exchange: it is not among the calls that are counted.
        homeserver.record().saw(&outcome, Some(began.elapsed()));
    }
}
