//! The fault of a rule in the log.

use std::time::Instant;

use super::error::GatewayError;
use coap::Message;
use runtime::Revision;

/// The response to an exchange that ended with an error. A fault of the rule is the operator's concern: it is logged.
pub(super) fn error_response(rule: Option<&Revision>, error: &GatewayError) -> Message {
    let fault = match error {
        GatewayError::RuleTrapped(trap) => Some(trap.to_string()),
        GatewayError::RuleBrokeContract(how) => {
            rule.map(|rule| format!("rule {} broke its contract: {how}", rule.name()))
        }
        _ => None,
    };
    // At the rate of the rule's own log lines, so that a faulty rule does not fill the log.
    if let Some((fault, rule)) = fault.zip(rule)
        && rule.state().budget.admit_line(Instant::now())
    {
        tracing::error!("{fault}");
    }
    error.response()
}
