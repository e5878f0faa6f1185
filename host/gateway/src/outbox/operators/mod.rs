//! What operators see and do of the outbox: `comatrix-gateway outbox …`.
//!
//! The control socket's connections are tasks of the event loop's thread, so a command works on the outbox itself.

mod changing;
pub mod command;
mod finding;
mod listing;
mod request;
mod showing;
mod wording;

use std::time::Duration;

use contract::escaping::escaped;
use tokio::task::spawn_local;
use tokio::time::timeout;

pub use request::{Listing, Only, OutboxRequest, RecordDetails, RecordLine, RecordState, WaitsFor};

use super::deliveries::{Deliveries, Inner, MOST_COMMANDS};
use crate::control::{Reply, Requester};
use crate::telemetry::operator::TARGET;

/// For a command. A disk that does not respond keeps nobody waiting.
const TIME: Duration = Duration::from_secs(60);
/// Bytes of an id in a log line.
const MAX_ID: usize = 64;

impl Deliveries {
    /// Carries out a command. A change is carried out also if its disk takes so long that the operator gets another
    /// reply.
    pub async fn carry_out(&self, request: OutboxRequest, requester: &Requester) -> Reply {
        log_request(&request, requester);
        let inner = self.0.clone();
        let Ok(place) = inner.commands.clone().try_acquire_owned() else {
            return Reply::Refused(format!(
                "{MOST_COMMANDS} other commands wait for the disk; repeat it when they have ended"
            ));
        };
        let work = spawn_local(async move {
            let reply = inner.reply_to(request).await;
            drop(place);
            reply
        });
        match timeout(TIME, work).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Reply::Refused("the gateway is shutting down; try again".to_owned()),
            Err(_) => Reply::Refused(format!(
                "the disk of the state folder does not respond within {} s; a change goes on, and `comatrix-gateway \
                 outbox list` shows what it has led to",
                TIME.as_secs()
            )),
        }
    }
}

impl Inner {
    async fn reply_to(&self, request: OutboxRequest) -> Reply {
        match request {
            OutboxRequest::List { only, limit } => Reply::Records(self.list(only, limit).await),
            OutboxRequest::Show { id, content } => self.show(&id, content).await,
            OutboxRequest::Retry { id: None } => self.retry_all().await,
            OutboxRequest::Retry { id: Some(id) } => self.retry_one(&id).await,
            OutboxRequest::Drop { id } => self.drop_one(&id).await,
        }
    }
}

/// Logs who asks for what, before the result: a command that only shows changes nothing.
fn log_request(request: &OutboxRequest, requester: &Requester) {
    let (what, id) = match request {
        OutboxRequest::List { .. } | OutboxRequest::Show { .. } => return,
        OutboxRequest::Retry { id: None } => ("a retry of all messages of the outbox", None),
        OutboxRequest::Retry { id: Some(id) } => ("a retry of message ", Some(id)),
        OutboxRequest::Drop { id } => ("a drop of message ", Some(id)),
    };
    let id = id.map_or_else(String::new, |id| escaped(id, MAX_ID));
    tracing::info!(target: TARGET, "{requester} asks for {what}{id}");
}
