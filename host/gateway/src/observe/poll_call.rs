//! A call of a long poll.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::long_poll::PollId;
use super::poll_account::PollAccount;
use contract::{Call, Outcome};
use homeserver::Upstreams;

/// A call to make. Its result goes to [`ObserveBroker::on_poll_result`](super::ObserveBroker::on_poll_result).
pub struct PollCall {
    pub(super) id: PollId,
    pub(super) account: Rc<PollAccount>,
    pub(super) call: Call,
    pub(super) topics: Vec<String>,
    pub(super) cancelled: oneshot::Receiver<()>,
    pub(super) timeout: Duration,
}

/// The topics that a call was made for and its outcome; none if it was cancelled.
pub type PollResult = Option<(Vec<String>, Outcome)>;

impl PollCall {
    /// Makes it.
    pub async fn make(self, upstreams: &Upstreams) -> (PollId, PollResult) {
        let (account, device) = (self.account.account(), self.account.device());
        let deadline = tokio::time::Instant::now() + self.timeout;
        let poll = async {
            let call = upstreams.prepare(device, self.call)?;
            upstreams.poll(account, device, &call, deadline).await
        };
        let result = tokio::select! {
            biased;
            // With the poll, or because another call replaces it.
            _ = self.cancelled => None,
            outcome = poll => Some((self.topics, outcome)),
        };
        (self.id, result)
    }
}
