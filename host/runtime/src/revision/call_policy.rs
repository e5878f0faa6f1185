//! The policy for a rule's homeserver calls. Every call is checked here and nowhere else.

use super::Revision;
use crate::limits::Limit;
use contract::{Call, CallError, CallFault, HttpRequest};

/// Why a rule may not make a call. The text repeats nothing of the call: a password could be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallDenied {
    /// It is above a limit of the rule.
    #[error("it is above the rule's limit {}; raise it in [rule.limits], or correct the rule", .0.name())]
    Limit(Limit),
    /// It does not have the form that the contract allows.
    #[error("{0}")]
    Form(#[from] CallFault),
    /// The description does not announce it.
    #[error("it is not among the needs that the rule describes")]
    Need,
}

/// The outcome that the rule gets.
impl From<CallDenied> for CallError {
    fn from(_: CallDenied) -> Self {
        Self::unsent("denied")
    }
}

impl Revision {
    /// Checks a call before it is made: the rule's limits, the form that the contract allows, and the needs of the
    /// description.
    ///
    /// # Errors
    /// [`CallDenied`]; for the rule, `denied`.
    pub fn check_call(&self, request: HttpRequest) -> Result<Call, CallDenied> {
        let limits = self.limits();
        let body = request.body.as_ref().map_or(0, Vec::len);
        let exceeded = if body > limits.body {
            Some(Limit::Body)
        } else {
            (request.headers.len() > limits.headers).then_some(Limit::Headers)
        };
        if let Some(limit) = exceeded {
            self.state().budget.count(limit);
            return Err(CallDenied::Limit(limit));
        }
        let call = Call::check(request, self.headers())?;
        match self.needs().iter().any(|need| need.allows(&call)) {
            true => Ok(call),
            false => Err(CallDenied::Need),
        }
    }
}
