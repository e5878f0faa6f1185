//! The state of the event loop, on request: it costs the loop nothing while nobody requests it, and a response shows
//! that the loop is not stuck.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::security_state::SecurityState;
use coap::{Counters, Holder};
use transport::UdpPeer;

/// A loop that has not responded by then is stuck: every step of it takes milliseconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The event loop at one moment.
#[derive(Clone, Debug, Default)]
pub struct LoopState {
    /// Counters of the CoAP endpoint.
    pub counters: Counters,
    /// The hosts that hold most of what the endpoint keeps; empty unless [`LoopProbe::query_with_holders`] asked for
    /// them.
    pub holders: Vec<Holder<UdpPeer>>,
    /// Requests in progress.
    pub in_flight: usize,
    /// Bytes that requests in progress hold.
    pub held_bytes: usize,
    /// Bytes of the changes and notifications that wait for observers.
    pub queued_bytes: usize,
    /// Observations in progress.
    pub observations: usize,
    /// Accounts with a long poll at their homeserver.
    pub polls: usize,
    /// Observations not started because the limit of long polls was reached.
    pub polls_refused: u64,
    /// Changes that observers did not get because newer ones took their place.
    pub passed_over: u64,
    /// Datagrams that waited because their host was above its share of the thread's time.
    pub deferred: u64,
    /// Those of them that were lost for lack of room.
    pub deferred_lost: u64,
    /// Whether the gateway is shutting down.
    pub draining: bool,
    /// Devices that prove who they are.
    pub security: SecurityState,
}

/// Connects the status page with the event loop.
#[derive(Default)]
pub struct LoopProbe {
    requested: Notify,
    wants_holders: Cell<bool>,
    published: watch::Sender<LoopState>,
}

impl LoopProbe {
    /// Requests the state of the loop; none if the loop is stuck. One response serves all requests at a time.
    pub async fn query(&self) -> Option<LoopState> {
        let mut published = self.published.subscribe();
        self.requested.notify_one();
        timeout(TIMEOUT, published.changed()).await.ok()?.ok()?;
        Some(published.borrow().clone())
    }

    /// The same, with the largest holders: to find them takes the loop time in proportion to all that is held, so only
    /// the status page does, and no monitor that asks every second.
    pub async fn query_with_holders(&self) -> Option<LoopState> {
        self.wants_holders.set(true);
        self.query().await
    }

    /// Ready when the state is requested: then the loop calls [`publish`](Self::publish). Returns whether with its
    /// largest holders.
    pub(crate) async fn requested(&self) -> bool {
        self.requested.notified().await;
        self.wants_holders.take()
    }

    /// Responds with the state of the loop.
    pub(crate) fn publish(&self, state: LoopState) {
        self.published.send_replace(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_running_loop_responds_to_all_requests() {
        let probe = LoopProbe::default();
        let turns = async {
            assert!(!probe.requested().await);
            probe.publish(LoopState {
                in_flight: 7,
                ..LoopState::default()
            });
        };
        let (one, other, ()) = tokio::join!(probe.query(), probe.query(), turns);
        assert_eq!(one.map(|state| state.in_flight), Some(7));
        assert_eq!(other.map(|state| state.in_flight), Some(7));
    }

    #[tokio::test]
    async fn the_largest_holders_are_searched_for_only_when_a_page_shows_them() {
        let probe = LoopProbe::default();
        let turns = async {
            assert!(probe.requested().await, "one of two wants them");
            probe.publish(LoopState::default());
        };
        let (_, _, ()) = tokio::join!(probe.query(), probe.query_with_holders(), turns);
        let turns = async {
            assert!(!probe.requested().await);
            probe.publish(LoopState::default());
        };
        tokio::join!(probe.query(), turns);
    }

    #[tokio::test]
    async fn a_stuck_loop_is_detected_and_an_old_state_is_no_response() {
        let probe = LoopProbe::default();
        probe.publish(LoopState::default());
        assert!(probe.query().await.is_none());
    }
}
