//! The way to the homeserver, as the gateway sees it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use contract::Outcome;
use homeserver::{Caller, PreparedCall, SentEvent};
use outbox::Search;
use tokio::time::{Instant, sleep, timeout_at};

use super::homeserver::{Homeserver, Mood};
use super::outcomes::{error, refusal};

/// The way to it. Its clones lead to the same one.
#[derive(Clone)]
pub(in crate::outbox) struct Network(pub Rc<RefCell<Homeserver>>);

impl Network {
    pub fn new(seed: u64, start: Instant) -> Self {
        Self(Rc::new(RefCell::new(Homeserver::new(seed, start))))
    }

    /// As [`Upstreams::send`](homeserver::Upstreams::send).
    pub(in crate::outbox) async fn send(
        &self,
        caller: &Caller,
        call: &PreparedCall,
        deadline: Instant,
    ) -> Outcome {
        let sent = self.0.borrow_mut().receive(caller, call);
        match sent {
            Ok(response) => match timeout_at(deadline, response).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => error("cut-off", true),
                Err(_) => error("timed-out", true),
            },
            Err(outcome) => {
                sleep(Duration::from_millis(3)).await;
                outcome
            }
        }
    }

    /// As [`Upstreams::find_sent`](homeserver::Upstreams::find_sent).
    pub(in crate::outbox) async fn find_sent(
        &self,
        caller: &Caller,
        call: &PreparedCall,
        search: Search,
        deadline: Instant,
    ) -> Result<SentEvent, Outcome> {
        sleep(Duration::from_millis(20)).await;
        let mood = self.0.borrow().mood;
        match mood {
            Mood::Up | Mood::Slow => {}
            Mood::Silent => {
                tokio::time::sleep_until(deadline).await;
                return Err(error("timed-out", true));
            }
            Mood::Unreachable => return Err(error("unreachable", false)),
            other => return Err(refusal(other, 3)),
        }
        self.0.borrow_mut().find(caller, call, search)
    }
}
