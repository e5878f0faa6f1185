//! A call of a long poll.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::long_poll::PollId;
use super::poll_account::PollAccount;
use crate::sessions::Sessions;
use coap::ObservationId;
use contract::{Call, Outcome};
use homeserver::{Upstreams, refuses_token};

/// What a call is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOf {
    /// A long poll that observations share.
    Poll(PollId),
    /// A feed.
    Feed(ObservationId),
}

/// A call to make. Its result goes to [`ObserveBroker::on_poll_result`](super::ObserveBroker::on_poll_result).
pub struct PollCall {
    pub(super) of: CallOf,
    pub(super) account: Rc<PollAccount>,
    pub(super) call: Call,
    pub(super) topics: Vec<String>,
    pub(super) cancelled: oneshot::Receiver<()>,
    pub(super) timeout: Duration,
}

/// The topics that a call was made for and its outcome; none if it was cancelled.
pub type PollResult = Option<(Vec<String>, Outcome)>;

impl PollCall {
    /// Makes it. A token of a session that the homeserver refuses ends the session.
    pub async fn make(
        self,
        upstreams: &Upstreams,
        sessions: Option<&Sessions>,
    ) -> (CallOf, PollResult) {
        let (account, device) = (self.account.account(), self.account.device());
        let deadline = tokio::time::Instant::now() + self.timeout;
        let poll = async {
            let call = upstreams.prepare(device, self.call)?;
            let outcome = upstreams.poll(account, device, &call, deadline).await;
            if let Some(sessions) = sessions
                && let Some(session) = device.session_of(&call)
                && refuses_token(&outcome)
            {
                sessions.refuse(&device.peer, session);
            }
            outcome
        };
        let result = tokio::select! {
            biased;
            // With the poll, or because another call replaces it.
            _ = self.cancelled => None,
            outcome = poll => Some((self.topics, outcome)),
        };
        (self.of, result)
    }
}
