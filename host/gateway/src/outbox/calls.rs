//! The calls of attempts: to homeservers, in the simulation to models of them.

use contract::Outcome;
use homeserver::{Caller, PreparedCall, SentEvent};
use outbox::Search;
use tokio::time::Instant;

use crate::request::Snapshot;

/// Where calls go. Its clones are the same place.
#[derive(Clone, Default)]
pub(super) struct Calls {
    #[cfg(test)]
    pub(super) simulated: Option<super::tests::Network>,
}

impl Calls {
    /// Makes an attempt.
    pub(super) async fn send(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        call: &PreparedCall,
        deadline: Instant,
    ) -> Outcome {
        #[cfg(test)]
        if let Some(simulated) = &self.simulated {
            return simulated.send(caller, call, deadline).await;
        }
        snapshot.upstreams.send(caller, call, deadline).await
    }

    /// Looks for the event of an earlier attempt.
    ///
    /// # Errors
    /// As [`Upstreams::find_sent`](homeserver::Upstreams::find_sent).
    pub(super) async fn find_sent(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        call: &PreparedCall,
        search: Search,
        others: &[String],
        deadline: Instant,
    ) -> Result<SentEvent, Outcome> {
        #[cfg(test)]
        if let Some(simulated) = &self.simulated {
            return simulated.find_sent(caller, call, search, deadline).await;
        }
        let found = snapshot
            .upstreams
            .find_sent(caller, call, search.since, others, deadline);
        found.await
    }
}
