//! The result of a request's dispatch: a response, or an exchange that waits for a homeserver or for the store.

use super::access_log_entry::AccessLogEntry;
use super::conditions::Conditions;
use super::response::Response;
use super::rule_execution::RuleExecution;
use super::sent::SentRequest;
use crate::telemetry::recorder::Resource;
use runtime::exchange::Action;

/// How far an exchange came without waiting.
pub enum Dispatch {
    /// To its end.
    Done(Response),
    /// To something that it waits for; `Gateway::finish` does it.
    Pending(Box<PendingExchange>),
    /// To a homeserver call with the gateway's own access token, by a device that has not proven its address: nothing
    /// has been done. The request has to come again once it has.
    NeedsProof,
}

/// An exchange that waits.
pub struct PendingExchange {
    pub(super) log_entry: AccessLogEntry,
    pub(super) resource: Resource,
    pub(super) conditions: Conditions,
    pub(super) work: Work,
}

/// What an exchange waits for.
pub(super) enum Work {
    /// The call or the delivery that a rule asks for.
    Rule(Box<RuleExecution>, Action),
    /// The store.
    Sent(SentRequest),
}

impl PendingExchange {
    pub(super) fn of(
        work: Work,
        log_entry: AccessLogEntry,
        resource: Resource,
        conditions: Conditions,
    ) -> Dispatch {
        Dispatch::Pending(Box::new(Self {
            log_entry,
            resource,
            conditions,
            work,
        }))
    }
}
