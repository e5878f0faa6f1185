//! What only the serving loop can see, told when somebody asks: it costs the loop nothing while nobody does, and that it
//! answers shows that it turns.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use coap::Counters;

/// A loop that has not answered by then is stuck: whatever it does takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// The serving loop at one moment.
#[derive(Clone, Debug, Default)]
pub struct LoopState {
    /// Of the endpoint.
    pub counters: Counters,
    /// Exchanges that are not finished.
    pub in_flight: usize,
    /// Bytes of request bodies in flight.
    pub bodies: usize,
    /// Observations.
    pub observations: usize,
    /// Accounts that a homeserver is asked for on behalf of observers.
    pub polls: usize,
    /// Observations not begun for want of a poll.
    pub polls_refused: u64,
    /// Whether the gateway is about to end.
    pub draining: bool,
}

/// Between those who want to know and the loop.
#[derive(Default)]
pub struct LoopProbe {
    wanted: Notify,
    told: watch::Sender<LoopState>,
}

impl LoopProbe {
    /// Asks the loop; none where it does not answer. Several who ask at a time are answered at once.
    pub async fn take(&self) -> Option<LoopState> {
        let mut told = self.told.subscribe();
        self.wanted.notify_one();
        timeout(PATIENCE, told.changed()).await.ok()?.ok()?;
        Some(told.borrow().clone())
    }

    /// Done when somebody asks: then [`report`](Self::report).
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// The loop's answer.
    pub(crate) fn report(&self, state: LoopState) {
        self.told.send_replace(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_loop_that_turns_answers_all_who_ask() {
        let pulse = LoopProbe::default();
        let turns = async {
            pulse.wanted().await;
            pulse.report(LoopState {
                in_flight: 7,
                ..LoopState::default()
            });
        };
        let (one, other, ()) = tokio::join!(pulse.take(), pulse.take(), turns);
        assert_eq!(one.map(|state| state.in_flight), Some(7));
        assert_eq!(other.map(|state| state.in_flight), Some(7));
    }

    #[tokio::test]
    async fn a_loop_that_is_stuck_is_found_out_and_old_news_are_no_sign_of_life() {
        let pulse = LoopProbe::default();
        pulse.report(LoopState::default());
        assert!(pulse.take().await.is_none());
    }
}
